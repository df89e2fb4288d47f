// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { GatewayListener } from "../model/gateway.ts";
import type { Model } from "../model/index.ts";
import type { ParentRef } from "../model/udp-route.ts";
import { keyOf } from "../refusal.ts";
import type { Mesh } from "./mesh.ts";

/** A Gateway listener together with the route that serves it. */
export interface Attachment {
  readonly gateway: Model<"Gateway">;
  readonly listener: GatewayListener;
  readonly route: Model<"UDPRoute">;
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
export function allowsRoute(
  listener: GatewayListener,
  gateway: Model<"Gateway">,
  route: Model<"UDPRoute">,
): boolean {
  if (!listener.allowsUdpRoutes) return false;
  return listener.allowsAllNamespaces || gateway.id.namespace === route.id.namespace;
}

/** Every listener that a route serves, each once. */
export function attachmentsOf(route: Model<"UDPRoute">, mesh: Mesh): readonly Attachment[] {
  const attachments = new Map<GatewayListener, Attachment>();
  for (const parent of route.parents) {
    const gateway = parentGateway(parent, mesh);
    if (gateway === undefined) continue;
    for (const listener of namedListeners(parent, gateway)) {
      if (allowsRoute(listener, gateway, route)) attachments.set(listener, { gateway, listener, route });
    }
  }
  return [...attachments.values()];
}
