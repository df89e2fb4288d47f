// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { BackendRef } from "../model/backend-ref.ts";
import { meshDomain } from "../model/metadata.ts";
import { keyOf } from "../refusal.ts";
import type { Mesh } from "./mesh.ts";
import { isReferenceGranted } from "./reference-grants.ts";
import { groupOf, type Route } from "./route.ts";

/** The key of the resource that a backend reference names. */
export function backendKey(ref: BackendRef): string {
  return keyOf({ kind: ref.kind, namespace: ref.namespace, name: ref.name });
}

/** Whether the backend exists. */
export function backendExists(ref: BackendRef, mesh: Mesh): boolean {
  return mesh[ref.kind].has(backendKey(ref));
}

/** Whether the backend has the referenced port: of the Service for this transport, or of an endpoint of the Backend. */
export function backendHasPort(ref: BackendRef, transport: "TCP" | "UDP", mesh: Mesh): boolean {
  if (ref.kind === "Service") {
    const service = mesh.Service.get(backendKey(ref));
    return service?.ports.some(({ port, protocol }) => port === ref.port && protocol === transport) ?? false;
  }
  if (ref.port === undefined) return true;
  return mesh.Backend.get(backendKey(ref))?.endpoints.some(({ port }) => port === ref.port) ?? false;
}

/** Whether the backend's namespace lets this route refer to it (Gateway API, ReferenceGrant). */
export function isGranted(ref: BackendRef, route: Route, mesh: Mesh): boolean {
  if (ref.namespace === route.id.namespace) return true;
  const group = ref.kind === "Service" ? "" : meshDomain;
  return isReferenceGranted({ ...route.id, group: groupOf(route) }, { ...ref, group }, mesh);
}
