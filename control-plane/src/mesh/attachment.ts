// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { GatewayListener } from "../model/gateway.ts";
import type { Model } from "../model/index.ts";
import type { ParentRef } from "../model/parent-ref.ts";
import { keyOf } from "../refusal.ts";
import type { Mesh } from "./mesh.ts";
import type { Route } from "./route.ts";

/** A Gateway listener together with a route that serves it. */
export interface Attachment<Served extends Route = Route> {
  readonly gateway: Model<"Gateway">;
  readonly listener: GatewayListener;
  readonly route: Served;
}

/** The Gateway that a route's parent reference names. */
export function parentGateway(parent: ParentRef, mesh: Mesh): Model<"Gateway"> | undefined {
  return mesh.Gateway.get(keyOf({ kind: "Gateway", namespace: parent.namespace, name: parent.name }));
}

/** Whether the Gateway's class names our controller. */
export function isOurs(gateway: Model<"Gateway">, mesh: Mesh): boolean {
  const classKey = keyOf({ kind: "GatewayClass", namespace: "", name: gateway.className });
  return mesh.GatewayClass.get(classKey)?.isOurs ?? false;
}

/** The listeners of a Gateway that a parent reference means: all, or those of a section name and a port. */
export function namedListeners(parent: ParentRef, gateway: Model<"Gateway">): readonly GatewayListener[] {
  return gateway.listeners.filter(
    ({ name, port }) =>
      (parent.sectionName === undefined || parent.sectionName === name) &&
      (parent.port === undefined || parent.port === port),
  );
}

/** Whether the listener takes this route. */
export function allowsRoute(listener: GatewayListener, gateway: Model<"Gateway">, route: Route): boolean {
  if (listener.routeKind !== route.id.kind) return false;
  return listener.allowsAllNamespaces || gateway.id.namespace === route.id.namespace;
}

/** Every listener that a route serves, each once. */
export function attachmentsOf<Served extends Route>(
  route: Served,
  mesh: Mesh,
): readonly Attachment<Served>[] {
  const attachments = new Map<GatewayListener, Attachment<Served>>();
  for (const parent of route.parents) {
    const gateway = parentGateway(parent, mesh);
    if (gateway === undefined) continue;
    for (const listener of namedListeners(parent, gateway)) {
      if (allowsRoute(listener, gateway, route)) attachments.set(listener, { gateway, listener, route });
    }
  }
  return [...attachments.values()];
}
