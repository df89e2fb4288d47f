// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { stringify } from "yaml";
import type { EchoEndpoint } from "../../traffic/echo-endpoint.ts";

const GATEWAY_API = "gateway.networking.k8s.io/v1";
const MESH_API = "mediastreamingmesh.io/v1alpha1";
const ADDRESS = "127.0.0.1";

/** A backend of a route, with its weight. */
export interface WeightedEndpoint {
  readonly name: string;
  readonly weight: number;
  readonly endpoint: EchoEndpoint;
}

/** A route that weighs Backends of one endpoint each. */
export function weightedYaml(port: number, backends: readonly WeightedEndpoint[]): string {
  const backendRefs = backends.map(({ name, weight }) => ({
    ...{ group: "mediastreamingmesh.io", kind: "Backend", name, weight },
  }));
  return toYaml([
    ...gateway(port),
    route(backendRefs),
    ...backends.map(({ name, endpoint }) => ({
      apiVersion: MESH_API,
      kind: "Backend",
      metadata: { name },
      spec: { endpoints: [{ address: ADDRESS, port: endpoint.port }] },
    })),
  ]);
}

/** A route to a Service with a slice for each endpoint; those that are draining end, but still serve. */
export function serviceYaml(
  port: number,
  endpoints: readonly { readonly endpoint: EchoEndpoint; readonly isDraining: boolean }[],
): string {
  const slices = endpoints.map(({ endpoint, isDraining }, index) => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `echo-${index}`, labels: { "kubernetes.io/service-name": "echo" } },
    addressType: "IPv4",
    ports: [{ name: "media", port: endpoint.port, protocol: "UDP" }],
    endpoints: [
      {
        addresses: [ADDRESS],
        conditions: { ready: !isDraining, serving: true, terminating: isDraining },
      },
    ],
  }));
  const ports = [{ name: "media", port: 80, protocol: "UDP" }];
  const service = { apiVersion: "v1", kind: "Service", metadata: { name: "echo" }, spec: { ports } };
  return toYaml([...gateway(port), route([{ name: "echo", port: 80 }]), service, ...slices]);
}

function gateway(port: number): readonly object[] {
  const spec = {
    gatewayClassName: "msm",
    addresses: [{ type: "IPAddress", value: ADDRESS }],
    listeners: [{ name: "echo", port, protocol: "UDP" }],
  };
  const controllerName = "mediastreamingmesh.io/gateway-controller";
  return [
    { apiVersion: GATEWAY_API, kind: "GatewayClass", metadata: { name: "msm" }, spec: { controllerName } },
    { apiVersion: GATEWAY_API, kind: "Gateway", metadata: { name: "edge" }, spec },
  ];
}

function route(backendRefs: readonly object[]): object {
  const spec = { parentRefs: [{ name: "edge", sectionName: "echo" }], rules: [{ backendRefs }] };
  return { apiVersion: GATEWAY_API, kind: "UDPRoute", metadata: { name: "echo" }, spec };
}

function toYaml(resources: readonly object[]): string {
  return resources.map((resource) => stringify(resource)).join("---\n");
}
