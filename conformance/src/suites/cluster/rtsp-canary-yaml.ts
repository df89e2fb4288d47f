// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { type AddressInfo, createServer } from "node:net";
import { stringify } from "yaml";

const GATEWAY_API = "gateway.networking.k8s.io/v1";
const MESH_API = "mediastreamingmesh.io/v1alpha1";
const ADDRESS = "127.0.0.1";

/** A camera behind the route; the last one also gets whoever says `x-stage: canary`. */
export interface WeightedCamera {
  readonly name: string;
  readonly weight: number;
  readonly port: number;
}

/** The resources of a mesh with one RTSP listener, whose route weighs cameras. */
export function rtspCanaryYaml(port: number, cameras: readonly WeightedCamera[]): string {
  const refOf = ({ name, weight }: WeightedCamera) => ({
    ...{ group: "mediastreamingmesh.io", kind: "Backend", name, weight },
  });
  const headers = [{ name: "x-stage", value: "canary" }];
  const canary = { ...cameras.at(-1)!, weight: 1 };
  const listener = { name: "rtsp", port, protocol: "mediastreamingmesh.io/RTSP" };
  const resources: readonly object[] = [
    {
      ...{ apiVersion: GATEWAY_API, kind: "GatewayClass", metadata: { name: "msm" } },
      spec: { controllerName: "mediastreamingmesh.io/gateway-controller" },
    },
    {
      ...{ apiVersion: GATEWAY_API, kind: "Gateway", metadata: { name: "edge" } },
      spec: { gatewayClassName: "msm", addresses: [{ value: ADDRESS }], listeners: [listener] },
    },
    {
      ...{ apiVersion: MESH_API, kind: "RTSPRoute", metadata: { name: "cameras" } },
      spec: {
        parentRefs: [{ name: "edge" }],
        rules: [
          { matches: [{ headers }], backendRefs: [refOf(canary)] },
          { backendRefs: cameras.map(refOf) },
        ],
      },
    },
    ...cameras.map((camera) => ({
      ...{ apiVersion: MESH_API, kind: "Backend", metadata: { name: camera.name } },
      spec: { endpoints: [{ address: ADDRESS, port: camera.port }] },
    })),
  ];
  return resources.map((resource) => stringify(resource)).join("---\n");
}

/** A TCP port of loopback that nobody has. */
export async function freeTcpPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, ADDRESS, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
