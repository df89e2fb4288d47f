// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { BackendRef } from "../model/backend-ref.ts";
import type { Model } from "../model/index.ts";
import { gatewayGroup, meshDomain } from "../model/metadata.ts";
import type { Mesh } from "./mesh.ts";

/** A route of any kind. */
export type Route = Model<"UDPRoute"> | Model<"RTSPRoute">;

/** Every route, by kind and precedence. */
export function routesOf(mesh: Mesh): readonly Route[] {
  return [...mesh.UDPRoute.values(), ...mesh.RTSPRoute.values()];
}

/** Whether it is an RTSPRoute. */
export function isRtspRoute(route: Route): route is Model<"RTSPRoute"> {
  return route.id.kind === "RTSPRoute";
}

/** Every backend reference of a route, rule after rule. */
export function backendsOf(route: Route): readonly BackendRef[] {
  return isRtspRoute(route) ? route.rules.flatMap(({ backends }) => backends) : route.backends;
}

/** The transport by which a route's backends are reached. */
export function transportOf(route: Route): "TCP" | "UDP" {
  return isRtspRoute(route) ? "TCP" : "UDP";
}

/** The API group of a route's kind. */
export function groupOf(route: Route): string {
  return isRtspRoute(route) ? meshDomain : gatewayGroup;
}

/** A part of a listener's traffic that a route wants for itself. */
export interface Claim {
  /** Equal for two routes that want the same. */
  readonly key: string;
  /** What it is, for a message; empty for everything. */
  readonly what: string;
}

/** What a route wants of each listener: a UDPRoute everything, an RTSPRoute each match at each host. */
export function claimsOf(route: Route): readonly Claim[] {
  if (!isRtspRoute(route)) return [{ key: "", what: "" }];
  return route.hostnames.flatMap((host) =>
    route.rules
      .flatMap(({ matches }) => matches)
      .map((match) => ({
        key: `${host} ${JSON.stringify(match)}`,
        what: `${match.path.type} ${match.path.value} of host ${host}`,
      })),
  );
}
