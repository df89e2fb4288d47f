// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from "@msm/xds-protos";
import { beforeEach, expect, test } from "vitest";
import { certificates } from "../../tls/testdata/certificates.ts";
import type { ResourceType } from "../resource.ts";
import { ConfigStore } from "../store.ts";
import { FakeDatapath } from "../testdata/fake-datapath.ts";
import { testLoader } from "../testdata/read.ts";
import { edsClusterJson, resource, routesJson } from "../testdata/resources.ts";
import {
  sdsJson,
  secretJson,
  serverTlsJson,
  tlsCertificateJson,
  tlsListenerJson,
  validationJson,
} from "./testdata/tls-json.ts";

let datapath: FakeDatapath;
let store: ConfigStore;

beforeEach(async () => {
  datapath = new FakeDatapath();
  store = new ConfigStore({
    loader: testLoader,
    applyPlan: (plan) => datapath.apply(plan),
    probeAddress: () => Promise.resolve(),
  });
  await apply("routeConfiguration", "edge", routesJson("edge"));
  await apply("listener", "a", tlsListenerJson("a", 322, both));
  await apply("routeConfiguration", "edge", routesJson("edge"));
});

const both = serverTlsJson({
  tls_certificate_sds_secret_configs: [sdsJson("cert")],
  validation_context_sds_secret_config: sdsJson("ca"),
});
const certificate = (name: "server" | "renewed"): JsonObject =>
  secretJson("cert", { tls_certificate: tlsCertificateJson(name) });
const authority = secretJson("ca", { validation_context: validationJson() });

/** Applies one resource; returns the codes with which it was refused. */
async function apply(type: ResourceType, name: string, json: JsonObject, version = "1") {
  const rejections = await store.apply({ type, added: [resource(name, json, version)], removed: [] });
  return rejections.map(({ error }) => error.code);
}

const plan = () => datapath.plan.signalling?.[0];

test("a listener asks for its secrets by name, and waits for them", async () => {
  expect([...store.secretNames()]).toEqual(["cert", "ca"]);
  expect(store.built.warming.get("a")).toEqual(["secret cert", "secret ca"]);
  await apply("secret", "cert", certificate("server"));
  expect(store.built.warming.get("a")).toEqual(["secret ca"]);
  await apply("secret", "ca", authority);
  expect(plan()?.tls).toMatchObject({
    identities: [certificates.server],
    validation: { authorities: certificates.authority.certificate, names: [] },
  });
});

test("a new certificate changes the listener, one that is refused does not, and the same one nothing at all", async () => {
  await apply("secret", "ca", authority);
  await apply("secret", "cert", certificate("server"));
  const first = plan();
  await apply("secret", "cert", certificate("server"), "2");
  expect(plan()).toBe(first);
  const wrong = secretJson("cert", { tls_certificate: tlsCertificateJson("renewed", "client") });
  expect(await apply("secret", "cert", wrong, "3")).toEqual(["MSM_TLS_CERTIFICATE"]);
  expect(plan()).toBe(first);
  await apply("secret", "cert", certificate("renewed"), "4");
  expect(plan()?.tls?.identities).toMatchObject([certificates.renewed]);
  expect(plan()?.routes).toBe(first?.routes);
});

test("a secret that goes stays in force for who uses it, and a new listener waits for it", async () => {
  await apply("secret", "ca", authority);
  await apply("secret", "cert", certificate("server"));
  await store.apply({ type: "secret", added: [], removed: ["cert"] });
  expect(plan()?.tls?.identities).toMatchObject([certificates.server]);
  await apply("listener", "b", tlsListenerJson("b", 323, both));
  expect(store.built.warming.get("b")).toEqual(["secret cert"]);
});

test("a secret of the wrong kind is waited for, and the reason says so", async () => {
  await apply("secret", "cert", secretJson("cert", { validation_context: validationJson() }));
  expect(store.built.warming.get("a")?.[0]).toBe("secret cert, which is no tls_certificate");
  await apply("secret", "ca", secretJson("ca", { validation_context: {} }));
  expect(store.built.warming.get("a")?.[1]).toContain("no validation_context with trusted_ca");
});

test("TLS to endpoints is refused, and what is kept of the cluster holds no key", async () => {
  const { typed_config, name } = serverTlsJson({ tls_certificates: [tlsCertificateJson("server")] });
  const type = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
  const upstream = { ...(typed_config as JsonObject), "@type": type };
  const cluster = edsClusterJson("c", { transport_socket: { name: name as string, typed_config: upstream } });
  expect(await apply("cluster", "c", cluster)).toEqual(["MSM_CONFIG_UNSUPPORTED_FIELD"]);
  const kept = Buffer.from(store.tables.cluster.refusalOf("c")!.body.value).toString("latin1");
  expect(kept).toContain("[redacted]");
  expect(kept).not.toContain(certificates.server.privateKey.split("\n")[1]);
});

test("a secret that nobody names any more is forgotten, and what is kept of one holds no key", async () => {
  await apply("secret", "cert", certificate("server"));
  const kept = Buffer.from(store.tables.secret.get("cert")!.body.value).toString("latin1");
  expect(kept).toContain("[redacted]");
  expect(kept).not.toContain(certificates.server.privateKey.split("\n")[1]);
  await apply("secret", "cert", certificate("renewed"), "2");
  await store.apply({ type: "listener", added: [], removed: ["a"] });
  expect(store.tables.secret.names()).toEqual([]);
});
