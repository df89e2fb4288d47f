// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { GatewayListener } from "../model/gateway.ts";
import type { Model } from "../model/index.ts";
import type { BackendRef } from "../model/udp-route.ts";

/**
 * The Envoy listener's name: `<namespace>/<gateway>/<listener>`, and for each address after the first
 * `@<address>` behind it, since an Envoy UDP listener binds one.
 */
export function listenerName(gateway: Model<"Gateway">, listener: GatewayListener, address: string): string {
  const name = `${gateway.id.namespace}/${gateway.id.name}/${listener.name}`;
  return address === gateway.addresses[0] ? name : `${name}@${address}`;
}

/**
 * The Envoy cluster's name: `service/<namespace>/<name>:<port>` or `backend/<namespace>/<name>`. The kind is part
 * of it because a Service and a Backend may have one name; so is a Backend's port where the route picks one.
 */
export function clusterName(ref: BackendRef): string {
  const name = `${ref.kind.toLowerCase()}/${ref.namespace}/${ref.name}`;
  return ref.port === undefined ? name : `${name}:${ref.port}`;
}

/** The cluster of a route: that of its one backend, or `route/<namespace>/<name>` where it weighs several. */
export function routeClusterName(route: Model<"UDPRoute">): string {
  const [backend, ...others] = route.backends;
  if (backend !== undefined && others.length === 0) return clusterName(backend);
  return `route/${route.id.namespace}/${route.id.name}`;
}

/** The ECDS resource of a WasmFilter. */
export function filterName(filter: Model<"WasmFilter">): string {
  return `${filter.id.namespace}/${filter.id.name}`;
}

/** The ECDS resource of the statistics filter that a listener has by default. */
export function defaultFilterName(listener: string): string {
  return `rtp-stats/${listener}`;
}
