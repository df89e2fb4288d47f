// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { stringify } from "yaml";

/** A Gateway listener with its own route and Backend, all of the same name. */
export interface MeshListener {
  readonly name: string;
  readonly port: number;
  /** Adds the statistics filter. */
  readonly isRtp?: boolean;
  /** Each of them written into the listener's Backend. */
  readonly endpoints: readonly { readonly address: string; readonly port: number }[];
  /** `spec.policy` of the Backend. */
  readonly policy?: object;
}

/** A mesh of one Gateway. */
export interface MeshDescription {
  /** The address that the Gateway binds. */
  readonly address: string;
  readonly listeners: readonly MeshListener[];
  /** RTP clocks by payload type, for rtp-stats. */
  readonly clockRates?: Readonly<Record<string, number>>;
  /** More resources. */
  readonly more?: readonly object[];
}

const GATEWAY_API = "gateway.networking.k8s.io/v1";
const MESH_API = "mediastreamingmesh.io/v1alpha1";
const RTP = "mediastreamingmesh.io/RTP";

/** Writes a mesh's resources as the YAML that a user would write. */
export function meshYaml({ address, listeners, clockRates, more = [] }: MeshDescription): string {
  const resources: object[] = [
    {
      apiVersion: GATEWAY_API,
      kind: "GatewayClass",
      metadata: { name: "msm" },
      spec: { controllerName: "mediastreamingmesh.io/gateway-controller" },
    },
    {
      apiVersion: GATEWAY_API,
      kind: "Gateway",
      metadata: { name: "edge" },
      spec: {
        gatewayClassName: "msm",
        addresses: [{ type: "IPAddress", value: address }],
        listeners: listeners.map(({ name, port, isRtp }) => ({ name, port, protocol: isRtp ? RTP : "UDP" })),
      },
    },
    ...listeners.flatMap((listener) => [udpRoute(listener.name), backend(listener)]),
  ];
  if (clockRates) {
    const targetRefs = [{ group: "gateway.networking.k8s.io", kind: "Gateway", name: "edge" }];
    const spec = { targetRefs, builtin: "rtp-stats", config: { clockRates } };
    resources.push({ apiVersion: MESH_API, kind: "WasmFilter", metadata: { name: "clocks" }, spec });
  }
  return [...resources, ...more].map((resource) => stringify(resource)).join("---\n");
}

function udpRoute(name: string): object {
  const backendRefs = [{ group: "mediastreamingmesh.io", kind: "Backend", name }];
  const spec = { parentRefs: [{ name: "edge", sectionName: name }], rules: [{ backendRefs }] };
  return { apiVersion: GATEWAY_API, kind: "UDPRoute", metadata: { name }, spec };
}

function backend({ name, endpoints, policy }: MeshListener): object {
  const listed = endpoints.map(({ address, port }) => ({ address, port }));
  const spec = { endpoints: listed, ...(policy && { policy }) };
  return { apiVersion: MESH_API, kind: "Backend", metadata: { name }, spec };
}
