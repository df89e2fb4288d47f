// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { stringify } from "yaml";
import type { CertificateFiles } from "../../certificates.ts";

/** What a mesh with RTSP in TLS is made from. */
export interface RtspsMesh {
  /** Of the listener for everybody, and of the one for clients with certificates. */
  readonly ports: { readonly open: number; readonly mutual: number };
  readonly cameraPort: number;
  /** The certificate of both listeners. */
  readonly certificate: CertificateFiles;
  /** The file of the authorities whose certificates clients may show. */
  readonly authorities: string;
  /** The name that they must have. */
  readonly clientName: string;
}

/** Its resources: paths lead to the camera as they are. */
export function rtspsYaml({ ports, cameraPort, certificate, authorities, clientName }: RtspsMesh): string {
  const group = "gateway.networking.k8s.io/v1";
  const own = "mediastreamingmesh.io";
  const tls = { certificateRefs: [{ name: "cams" }] };
  const options = { [`${own}/client-names`]: clientName };
  const validation = { caCertificateRefs: [{ name: "players" }] };
  const listener = (name: string, port: number, more: object) => ({
    ...{ name, port, protocol: `${own}/RTSPS`, tls: { ...tls, ...more } },
  });
  const documents: readonly object[] = [
    {
      ...{ apiVersion: group, kind: "GatewayClass", metadata: { name: "msm" } },
      spec: { controllerName: `${own}/gateway-controller` },
    },
    {
      ...{ apiVersion: group, kind: "Gateway", metadata: { name: "edge" } },
      spec: {
        gatewayClassName: "msm",
        addresses: [{ value: "127.0.0.1" }],
        listeners: [listener("open", ports.open, {}), listener("mutual", ports.mutual, { options })],
        tls: { frontend: { default: {}, perPort: [{ port: ports.mutual, tls: { validation } }] } },
      },
    },
    {
      ...{ apiVersion: "v1", kind: "Secret", metadata: { name: "cams" }, type: "kubernetes.io/tls" },
      stringData: {
        "tls.crt": readFileSync(certificate.certificate, "utf8"),
        "tls.key": readFileSync(certificate.privateKey, "utf8"),
      },
    },
    {
      ...{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "players" } },
      data: { "ca.crt": readFileSync(authorities, "utf8") },
    },
    {
      ...{ apiVersion: `${own}/v1alpha1`, kind: "Backend", metadata: { name: "camera" } },
      spec: { endpoints: [{ address: "127.0.0.1", port: cameraPort }] },
    },
    {
      ...{ apiVersion: `${own}/v1alpha1`, kind: "RTSPRoute", metadata: { name: "cameras" } },
      spec: {
        parentRefs: [{ name: "edge" }],
        rules: [{ backendRefs: [{ group: own, kind: "Backend", name: "camera" }] }],
      },
    },
  ];
  return documents.map((document) => stringify(document)).join("---\n");
}
