// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { type Certified, testAuthority } from "./certificates.ts";
import { backendYaml, classYaml, rtspRouteYaml, yamlFile } from "./mesh-yaml.ts";

/** Signs what tests need. */
export const authority = testAuthority();

/** A certificate of a listener. */
const cams: Certified = authority.issue("DNS:cams.example.com");

const indented = (pem: string): string => pem.trim().replaceAll("\n", "\n    ");

interface SecretInput {
  readonly name?: string;
  readonly namespace?: string;
  readonly certified?: Certified;
  readonly privateKey?: string;
  readonly type?: string;
}

/** A Secret with a certificate, the key of which can be another one's; `more` are its other fields. */
export function secretYaml({
  name = "cams",
  namespace = "default",
  certified = cams,
  privateKey = certified.privateKey,
  type = "kubernetes.io/tls",
}: SecretInput = {}): string {
  return `apiVersion: v1
kind: Secret
metadata: { name: ${name}, namespace: ${namespace} }
type: ${type}
stringData:
  tls.crt: |
    ${indented(certified.certificate)}
  tls.key: |
    ${indented(privateKey)}
`;
}

/** The same with its entries in base64, as kubectl writes it. */
export function encodedSecretYaml(): string {
  const { certificate, privateKey } = cams;
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  return `apiVersion: v1
kind: Secret
metadata: { name: cams }
type: kubernetes.io/tls
data:
  tls.crt: ${base64(certificate)}
  tls.key: ${base64(privateKey)}
`;
}

/** A ConfigMap with authorities. */
export function authoritiesYaml({
  name = "players",
  entry = "ca.crt",
  text = authority.certificate,
} = {}): string {
  return `apiVersion: v1
kind: ConfigMap
metadata: { name: ${name} }
data:
  ${entry}: |
    ${indented(text)}
`;
}

/** A Gateway `rtsp` with a listener in TLS; `tls` is that of its spec, `more` is added to that of the listener. */
export function tlsGatewayYaml({
  ref = "{ name: cams }",
  tls = "{}",
  more = "",
  namespace = "default",
} = {}): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: rtsp, namespace: ${namespace} }
spec:
  gatewayClassName: msm
  tls: ${tls}
  listeners:
    - name: rtsps
      port: 322
      protocol: mediastreamingmesh.io/RTSPS
      tls:
        certificateRefs: [${ref}]
        ${more}
`;
}

/** Asks clients for certificates of the ConfigMap `players`. */
export const clientTls =
  "{ frontend: { default: { validation: { caCertificateRefs: [{ name: players, kind: ConfigMap }] } } } }";

/** The same for the listener of one port alone. */
export const clientTlsOfPort = (port: number): string =>
  `{ frontend: { default: {}, perPort: [{ port: ${port}, tls: { validation: { caCertificateRefs: [{ name: players }] } } }] } }`;

/** A mesh with an RTSPS listener, without its Secret. */
export function tlsMesh(gateway = tlsGatewayYaml()): string {
  return yamlFile(classYaml, gateway, backendYaml(), rtspRouteYaml());
}
