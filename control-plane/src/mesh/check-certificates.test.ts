// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import type { Refusal } from "../refusal.ts";
import type { RefusalCode } from "../refusal-codes.ts";
import { yamlFile } from "../testing/mesh-yaml.ts";
import { readText } from "../testing/read-text.ts";
import {
  authoritiesYaml,
  authority,
  clientTls,
  clientTlsOfPort,
  encodedSecretYaml,
  secretYaml,
  tlsGatewayYaml,
  tlsMesh,
} from "../testing/tls-mesh.ts";
import { ResourceStore } from "./resource-store.ts";

const refusalsOf = (...documents: readonly string[]): readonly Refusal[] =>
  new ResourceStore().apply(readText(yamlFile(...documents))).refusals;

const REF = "spec.listeners[0].tls.certificateRefs[0]";
const CA_REF = "spec.tls.frontend.default.validation.caCertificateRefs[0]";
const grant = (kind: string): string => `apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: { name: gateways, namespace: vault }
spec:
  from: [{ group: gateway.networking.k8s.io, kind: Gateway, namespace: default }]
  to: [{ group: "", kind: ${kind} }]
`;
const elsewhere = tlsMesh(tlsGatewayYaml({ ref: "{ name: cams, namespace: vault }" }));
const inVault = secretYaml({ namespace: "vault" });

test.each<[string, readonly string[]]>([
  ["with a Secret in plain text", [tlsMesh(), secretYaml()]],
  ["with one in base64, as kubectl writes it", [tlsMesh(), encodedSecretYaml()]],
  ["with one of another namespace that grants it", [elsewhere, inVault, grant("Secret")]],
  [
    "with clients' certificates and options",
    [
      tlsMesh(
        tlsGatewayYaml({
          tls: clientTls,
          more: 'options: { mediastreamingmesh.io/min-tls-version: "1.3", mediastreamingmesh.io/client-names: "URI:spiffe://mesh/*, DNS:x.example.com" }',
        }),
      ),
      secretYaml(),
      authoritiesYaml(),
    ],
  ],
  [
    "beside Secrets and ConfigMaps of other programs",
    [tlsMesh(), secretYaml(), secretYaml({ name: "x", type: "Opaque" }), authoritiesYaml({ entry: "x" })],
  ],
])("an RTSPS listener %s is accepted", (_what, documents) => {
  expect(refusalsOf(...documents)).toEqual([]);
});

test.each<[RefusalCode, string, readonly string[], string]>([
  ["MSM_SECRET_NOT_FOUND", "without its Secret", [tlsMesh()], `${REF}.name`],
  [
    "MSM_SECRET_NOT_FOUND",
    "without its ConfigMap",
    [tlsMesh(tlsGatewayYaml({ tls: clientTls })), secretYaml()],
    `${CA_REF}.name`,
  ],
  [
    "MSM_SECRET_NOT_GRANTED",
    "with a Secret of a namespace that says nothing",
    [elsewhere, inVault],
    `${REF}.namespace`,
  ],
  [
    "MSM_SECRET_NOT_GRANTED",
    "with a grant for something else",
    [elsewhere, inVault, grant("ConfigMap")],
    `${REF}.namespace`,
  ],
  [
    "MSM_SECRET_KIND",
    "with a Secret of another type",
    [tlsMesh(), secretYaml({ type: "Opaque" })],
    `${REF}.name`,
  ],
  [
    "MSM_SECRET_KIND",
    "with something else than a Secret",
    [tlsMesh(tlsGatewayYaml({ ref: "{ kind: ConfigMap, name: cams }" }))],
    `${REF}.kind`,
  ],
  [
    "MSM_SECRET_KIND",
    "with a ConfigMap without authorities",
    [tlsMesh(tlsGatewayYaml({ tls: clientTls })), secretYaml(), authoritiesYaml({ entry: "x" })],
    `${CA_REF}.name`,
  ],
  [
    "MSM_SECRET_KEY",
    "with a key of another certificate",
    [secretYaml({ privateKey: authority.issue("DNS:x").privateKey })],
    'stringData["tls.key"]',
  ],
  ["MSM_SECRET_KEY", "with no key", [secretYaml({ privateKey: "nonsense" })], 'stringData["tls.key"]'],
  [
    "MSM_SECRET_CERTIFICATE",
    "with a damaged certificate",
    [
      secretYaml({
        certified: { ...authority.issue("DNS:x"), certificate: authority.certificate.slice(0, 200) },
      }),
    ],
    'stringData["tls.crt"]',
  ],
  [
    "MSM_SECRET_CERTIFICATE",
    "with damaged authorities",
    [authoritiesYaml({ text: "nonsense" })],
    'data["ca.crt"]',
  ],
  ["MSM_FIELD_MISSING", "without an entry", [secretYaml().replace("tls.key", "key")], 'data["tls.key"]'],
  [
    "MSM_FIELD_VALUE",
    "with an entry that is no base64",
    [encodedSecretYaml().replace("tls.key: ", "tls.key: =")],
    'data["tls.key"]',
  ],
  ["MSM_GATEWAY_TLS", "without tls", [tlsGatewayYaml().replace(/ {6}tls:.*/s, "")], "spec.listeners[0].tls"],
  [
    "MSM_GATEWAY_TLS",
    "of a protocol without TLS",
    [tlsGatewayYaml().replace("RTSPS", "RTSP")],
    "spec.listeners[0].tls",
  ],
  [
    "MSM_GATEWAY_TLS",
    "with names of clients that are not asked",
    [tlsGatewayYaml({ more: "options: { mediastreamingmesh.io/client-names: DNS:x }" })],
    'spec.listeners[0].tls.options["mediastreamingmesh.io/client-names"]',
  ],
  [
    "MSM_GATEWAY_TLS",
    "with authorities for a port that has none",
    [
      tlsGatewayYaml({
        tls: clientTlsOfPort(8322),
      }),
    ],
    "spec.tls.frontend.perPort[0].port",
  ],
  [
    "MSM_GATEWAY_TLS",
    "that is not there, while clients are to be asked",
    [tlsGatewayYaml({ tls: clientTls }).replace("RTSPS", "RTSP")],
    "spec.tls.frontend",
  ],
  [
    "MSM_FIELD_UNSUPPORTED",
    "that passes TLS through",
    [tlsGatewayYaml({ more: "mode: Passthrough" })],
    "spec.listeners[0].tls.mode",
  ],
  [
    "MSM_FIELD_UNSUPPORTED",
    "that lets in whom it should not",
    [
      tlsGatewayYaml({
        tls: clientTls.replace("validation: {", "validation: { mode: AllowInsecureFallback,"),
      }),
    ],
    "spec.tls.frontend.default.validation.mode",
  ],
  [
    "MSM_FIELD_VALUE",
    "with two certificates",
    [tlsGatewayYaml({ ref: "{ name: a }, { name: b }" })],
    "spec.listeners[0].tls.certificateRefs",
  ],
  [
    "MSM_FIELD_UNKNOWN",
    "with an option that is none",
    [tlsGatewayYaml({ more: "options: { a/b: c }" })],
    'spec.listeners[0].tls.options["a/b"]',
  ],
])("%s: refuses an RTSPS listener %s, naming the field", (code, _what, documents, field) => {
  expect(
    refusalsOf(...documents).map((refusal) => ({ code: refusal.code, field: refusal.field })),
  ).toContainEqual({ code, field });
});

test("a Secret that goes wrong, or goes, stays in force as it was for who uses it", () => {
  const store = new ResourceStore();
  const good = secretYaml();
  const before = store.apply(readText(yamlFile(tlsMesh(), good))).mesh.Secret.values();
  const wrong = store.apply(readText(yamlFile(tlsMesh(), secretYaml({ privateKey: "nonsense" }))));
  expect(wrong.mesh.Secret.values()[0]).toBe(before[0]);
  expect(wrong.refusals.map(({ code }) => code)).toEqual(["MSM_SECRET_KEY"]);
  const gone = store.apply(readText(tlsMesh()));
  expect(gone.mesh.Secret.values()[0]).toBe(before[0]);
  expect(gone.mesh.Gateway.values()).toHaveLength(1);
});
