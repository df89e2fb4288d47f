// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { AnySchema, create, type JsonObject, packAny, registry, toJson, unpackAny } from "@msm/xds-protos";
import { BootstrapSchema } from "@msm/xds-protos/envoy/config/bootstrap/v3/bootstrap_pb.js";
import { expect, test } from "vitest";
import { certificates } from "../../tls/testdata/certificates.ts";
import { anyOf, edsClusterJson } from "../testdata/resources.ts";
import { redactSecrets } from "./redact-secrets.ts";
import { secretJson, serverTlsJson, tlsCertificateJson, tlsListenerJson } from "./testdata/tls-json.ts";

const shown = (json: JsonObject) =>
  toJson(AnySchema, redactSecrets(anyOf(json)), { registry, useProtoFieldName: true }) as JsonObject;

test("a key is shown as Envoy shows it, and the certificate as it is", () => {
  const certificate_chain = { inline_string: certificates.server.certificate };
  const text = secretJson("s", { tls_certificate: tlsCertificateJson("server") });
  expect(shown(text)).toMatchObject({
    tls_certificate: { certificate_chain, private_key: { inline_string: "[redacted]" } },
  });
  const private_key = { inline_bytes: Buffer.from(certificates.server.privateKey).toString("base64") };
  const bytes = secretJson("s", { tls_certificate: { certificate_chain, private_key } });
  expect(shown(bytes)).toMatchObject({
    tls_certificate: { private_key: { inline_bytes: Buffer.from("[redacted]").toString("base64") } },
  });
});

test("deep inside a listener, and inside a bootstrap, no key is left", () => {
  const listener = tlsListenerJson(
    "a",
    1,
    serverTlsJson({ tls_certificates: [tlsCertificateJson("server")] }),
  );
  const before = JSON.stringify(listener);
  const after = JSON.stringify(shown(listener));
  const line = certificates.server.privateKey.split("\n")[1]!;
  expect(before).toContain(line);
  expect(after).not.toContain(line);
  expect(after).toContain("[redacted]");
  const body = unpackAny(anyOf(listener));
  const bootstrap = create(BootstrapSchema, { staticResources: { listeners: [body as never] } });
  const redacted = redactSecrets(packAny(BootstrapSchema, bootstrap));
  expect(Buffer.from(redacted.value).toString("latin1")).not.toContain(line);
});

test("what has no secret is the same object, and what cannot be read is shown empty", () => {
  const cluster = anyOf(edsClusterJson("a"));
  expect(redactSecrets(cluster)).toBe(cluster);
  const damaged = create(AnySchema, { typeUrl: cluster.typeUrl, value: Uint8Array.of(0xff, 0xff) });
  expect(redactSecrets(damaged).value).toHaveLength(0);
  const unknown = create(AnySchema, { typeUrl: "type.googleapis.com/x.Secret", value: Uint8Array.of(1) });
  expect(redactSecrets(unknown).value).toHaveLength(0);
});
