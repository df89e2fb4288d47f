// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { ControlPlaneState, type RawResource } from "@msm/control-plane";
import type { SnapshotCache } from "@msm/control-plane/xds";

const LISTENERS_PER_GATEWAY = 50;
const PORT = 5000;

/** The group of proxies that are not ours, as the clients of a bench are not. */
export const servedGroup = "mesh-envoy";

/** The clusters of a mesh of so many routes. */
export function meshClusters(routes: number): readonly string[] {
  return Array.from({ length: routes }, (_, index) => `service/default/s${index}:${PORT}`);
}

/** A mesh as a source hands it over: UDPRoutes, each with a listener, a Service and its endpoints in one EndpointSlice. */
export class ServedMesh {
  readonly #plane: ControlPlaneState;
  readonly #endpointsPerRoute: number;
  readonly #slicesAt: number;
  #resources: readonly RawResource[];
  #changes = 0;

  constructor(cache: SnapshotCache, routes: number, endpointsPerRoute: number) {
    this.#plane = new ControlPlaneState(cache);
    this.#endpointsPerRoute = endpointsPerRoute;
    const indices = Array.from({ length: routes }, (_, index) => index);
    const gateways = indices.filter((index) => index % LISTENERS_PER_GATEWAY === 0).map(gateway);
    const others = [gatewayClass, ...gateways, ...indices.map(route), ...indices.map(service)];
    this.#slicesAt = others.length;
    this.#resources = [...others, ...indices.map((index) => this.#slice(index, 0))];
    this.#apply();
  }

  /** Moves one endpoint of the first route. */
  change(): void {
    const resources = [...this.#resources];
    resources[this.#slicesAt] = this.#slice(0, ++this.#changes);
    this.#resources = resources;
    this.#apply();
  }

  #apply(): void {
    const { state } = this.#plane.apply({ resources: this.#resources, refusals: [], isComplete: true });
    const [refusal] = state.refusals;
    if (refusal !== undefined) throw new Error(`${refusal.code} ${refusal.field}: ${refusal.message}`);
  }

  #slice(index: number, change: number): RawResource {
    const endpoints = Array.from({ length: this.#endpointsPerRoute }, (_, each) => {
      const host = each === 0 ? 100 + (change % 100) : each;
      return { addresses: [`10.${index >> 8}.${index & 255}.${host}`] };
    });
    const body = { addressType: "IPv4", ports: [{ name: "", port: PORT, protocol: "UDP" }], endpoints };
    const labels = { "kubernetes.io/service-name": `s${index}` };
    return resource("discovery.k8s.io/v1", "EndpointSlice", `s${index}`, body, { labels });
  }
}

const gatewayClass = resource("gateway.networking.k8s.io/v1", "GatewayClass", "msm", {
  spec: { controllerName: "mediastreamingmesh.io/gateway-controller" },
});

function gateway(first: number): RawResource {
  const listeners = Array.from({ length: LISTENERS_PER_GATEWAY }, (_, each) => ({
    name: `l${first + each}`,
    port: 10_000 + first + each,
    protocol: "mediastreamingmesh.io/RTP",
  }));
  const spec = { gatewayClassName: "msm", listeners };
  return resource("gateway.networking.k8s.io/v1", "Gateway", gatewayOf(first), { spec });
}

function route(index: number): RawResource {
  const parentRefs = [{ name: gatewayOf(index), sectionName: `l${index}` }];
  const spec = { parentRefs, rules: [{ backendRefs: [{ name: `s${index}`, port: PORT }] }] };
  return resource("gateway.networking.k8s.io/v1", "UDPRoute", `r${index}`, { spec });
}

function service(index: number): RawResource {
  return resource("v1", "Service", `s${index}`, { spec: { ports: [{ port: PORT, protocol: "UDP" }] } });
}

function gatewayOf(index: number): string {
  return `g${Math.floor(index / LISTENERS_PER_GATEWAY)}`;
}

function resource(
  apiVersion: string,
  kind: string,
  name: string,
  body: object,
  metadata: object = {},
): RawResource {
  const namespace = kind === "GatewayClass" ? "" : "default";
  const value = { apiVersion, kind, metadata: { name, ...metadata }, ...body };
  return {
    id: { kind, namespace, name },
    apiVersion,
    value,
    file: "mesh",
    locate: () => ({ line: 1, column: 1 }),
  };
}
