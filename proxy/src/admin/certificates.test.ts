// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { AnySchema, type JsonObject, registry, toJson } from "@msm/xds-protos";
import { beforeEach, expect, test } from "vitest";
import { readBootstrap } from "../config/bootstrap.ts";
import { bootstrapSource } from "../config/bootstrap-source.ts";
import type { ResourceType } from "../config/resource.ts";
import { ConfigStore } from "../config/store.ts";
import { FakeDatapath } from "../config/testdata/fake-datapath.ts";
import { testLoader } from "../config/testdata/read.ts";
import { resource, routesJson } from "../config/testdata/resources.ts";
import {
  sdsJson,
  secretJson,
  serverTlsJson,
  tlsCertificateJson,
  tlsListenerJson,
  validationJson,
} from "../config/tls/testdata/tls-json.ts";
import { certificates } from "../tls/testdata/certificates.ts";
import { certificatesOf, daysUntilFirstExpires } from "./certificates.ts";
import { configDumpSections } from "./config-dump.ts";

const NOW_MS = Date.UTC(2119, 11, 30, 12);
const KEY_LINE = certificates.server.privateKey.split("\n")[1]!;

const inPlace = serverTlsJson({ tls_certificates: [tlsCertificateJson("server")] });
const bySds = serverTlsJson({
  tls_certificate_sds_secret_configs: [sdsJson("cert")],
  validation_context_sds_secret_config: sdsJson("ca"),
});

let store: ConfigStore;

beforeEach(async () => {
  const datapath = new FakeDatapath();
  store = new ConfigStore({
    loader: testLoader,
    applyPlan: (plan) => datapath.apply(plan),
    probeAddress: () => Promise.resolve(),
  });
  await apply("listener", "s", tlsListenerJson("s", 322, bySds));
  await apply("routeConfiguration", "edge", routesJson("edge"));
});

async function apply(type: ResourceType, name: string, json: JsonObject): Promise<void> {
  await store.apply({ type, added: [resource(name, json)], removed: [] });
}

/** A section of `/config_dump` as JSON, where the bootstrap is this. */
function section(type: string, bootstrap: object = {}): JsonObject {
  const context = { bootstrap: readBootstrap(bootstrapSource(bootstrap)), startedAt: new Date(), store };
  const any = configDumpSections(context, false).find(({ typeUrl }) => typeUrl.endsWith(type));
  return toJson(AnySchema, any!, { registry, useProtoFieldName: true }) as JsonObject;
}

test("/certs says what certificates are in force, and the statistic when the first expires", async () => {
  expect(certificatesOf(store.built.plan, NOW_MS).certificates).toEqual([]);
  expect(daysUntilFirstExpires(store.built.plan, NOW_MS)).toBeUndefined();
  await apply("secret", "cert", secretJson("cert", { tls_certificate: tlsCertificateJson("server") }));
  await apply("secret", "ca", secretJson("ca", { validation_context: validationJson() }));
  const [context] = certificatesOf(store.built.plan, NOW_MS).certificates;
  const validity = { validFrom: { seconds: 1577836800n }, expirationTime: { seconds: 4733424000n } };
  const names = [
    { case: "dns", value: "cams.example.com" },
    { case: "dns", value: "*.cams.example.com" },
    { case: "ipAddress", value: "127.0.0.1" },
  ];
  expect(context).toMatchObject({
    caCert: [{ path: "<inline>", ...validity, subjectAltNames: [] }],
    certChain: [{ ...validity, daysUntilExpiration: 0n, subjectAltNames: names.map((name) => ({ name })) }],
  });
  expect(context?.certChain[0]?.serialNumber).toMatch(/^[0-9a-f]{20,40}$/);
  expect(daysUntilFirstExpires(store.built.plan, NOW_MS)).toBe(0);
  expect(daysUntilFirstExpires(store.built.plan, NOW_MS - 86_400_000 * 10)).toBe(10);
});

test("/config_dump shows secrets in force without their keys, those refused, and those that are waited for", async () => {
  await apply("secret", "cert", secretJson("cert", { tls_certificate: tlsCertificateJson("server") }));
  await apply(
    "secret",
    "cert",
    secretJson("cert", { tls_certificate: tlsCertificateJson("server", "client") }),
  );
  const dump = section("SecretsConfigDump");
  expect(dump).toMatchObject({
    dynamic_active_secrets: [
      {
        name: "cert",
        secret: { tls_certificate: { private_key: { inline_string: "[redacted]" } } },
        error_state: { details: expect.stringContaining("MSM_TLS_CERTIFICATE") },
      },
    ],
    dynamic_warming_secrets: [{ name: "ca", client_status: "REQUESTED" }],
  });
  expect(JSON.stringify(dump)).not.toContain(KEY_LINE);
});

test("no key shows in a listener that has it in place, nor in the bootstrap", async () => {
  const json = tlsListenerJson("p", 323, inPlace);
  await apply("listener", "p", json);
  const { "@type": _, ...listener } = json;
  const bootstrap = { static_resources: { listeners: [listener] } };
  const shown = [section("ListenersConfigDump"), section("BootstrapConfigDump", bootstrap)].map((dump) =>
    JSON.stringify(dump),
  );
  for (const text of shown) {
    expect(text).toContain("[redacted]");
    expect(text).not.toContain(KEY_LINE);
  }
});
