// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { BackendRef } from "../model/backend-ref.ts";
import type { GatewayListener } from "../model/gateway.ts";
import type { Model } from "../model/index.ts";
import type { ObjectReference } from "../model/listener-tls.ts";

/**
 * The Envoy listener's name: `<namespace>/<gateway>/<listener>`, and for each address after the first
 * `@<address>` behind it, since an Envoy UDP listener binds one.
 */
export function listenerName(gateway: Model<"Gateway">, listener: GatewayListener, address: string): string {
  const name = routeConfigurationName(gateway, listener);
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

/** The Envoy cluster of a backend that is reached by TCP: a UDPRoute may name the same backend. */
export function tcpClusterName(ref: BackendRef): string {
  return `tcp/${clusterName(ref)}`;
}

/** The RouteConfiguration of an RTSP listener, whatever its addresses: `<namespace>/<gateway>/<listener>`. */
export function routeConfigurationName(gateway: Model<"Gateway">, listener: GatewayListener): string {
  return `${gateway.id.namespace}/${gateway.id.name}/${listener.name}`;
}

/** The cluster of a UDPRoute: that of its one backend, or `route/<namespace>/<name>` where it weighs several. */
export function routeClusterName(route: Model<"UDPRoute">): string {
  const [backend, ...others] = route.backends;
  if (backend !== undefined && others.length === 0) return clusterName(backend);
  return `route/${route.id.namespace}/${route.id.name}`;
}

/** The SDS resource of a Secret or ConfigMap: `secret/<namespace>/<name>` or `configmap/<namespace>/<name>`. */
export function objectName({ kind, namespace, name }: ObjectReference): string {
  return `${kind.toLowerCase()}/${namespace}/${name}`;
}

/** The ECDS resource of a WasmFilter. */
export function filterName(filter: Model<"WasmFilter">): string {
  return `${filter.id.namespace}/${filter.id.name}`;
}

/** The filter `builtin` that a listener has by default. */
export function defaultFilterName(builtin: string, listener: string): string {
  return `${builtin}/${listener}`;
}
