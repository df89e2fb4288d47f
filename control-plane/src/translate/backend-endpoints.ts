// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { backendKey } from "../mesh/backend-reference.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { BackendRef } from "../model/backend-ref.ts";

/** An endpoint that takes datagrams or connections; a draining one keeps its sessions and gets no new ones. */
export interface Endpoint {
  /** An IP address, or a name that proxies look up. */
  readonly address: string;
  readonly port: number;
  readonly isDraining: boolean;
}

/** The endpoints behind a backend reference, each once, in the order in which they are written. */
export function backendEndpoints(ref: BackendRef, transport: "TCP" | "UDP", mesh: Mesh): readonly Endpoint[] {
  const found = ref.kind === "Backend" ? listedEndpoints(ref, mesh) : serviceEndpoints(ref, transport, mesh);
  const byAddress = new Map<string, Endpoint>();
  for (const endpoint of found) {
    const key = `${endpoint.address} ${endpoint.port}`;
    // While slices are rewritten an endpoint may stand in two; where one says ready, it is.
    if (byAddress.get(key)?.isDraining !== false) byAddress.set(key, endpoint);
  }
  return [...byAddress.values()];
}

function listedEndpoints(ref: BackendRef, mesh: Mesh): Endpoint[] {
  const all = mesh.Backend.get(backendKey(ref))?.endpoints ?? [];
  return all
    .filter(({ port }) => ref.port === undefined || port === ref.port)
    .map(({ address, port }) => ({ address, port, isDraining: false }));
}

// EndpointSlice ports are those of the pods; the Service's port is found among them by its name.
function serviceEndpoints(ref: BackendRef, transport: "TCP" | "UDP", mesh: Mesh): Endpoint[] {
  const ports = mesh.Service.get(backendKey(ref))?.ports ?? [];
  const servicePort = ports.find(({ port, protocol }) => port === ref.port && protocol === transport);
  if (servicePort === undefined) return [];
  return (mesh.slicesOf.get(backendKey(ref)) ?? []).flatMap((slice) =>
    slice.ports
      .filter(({ name, protocol }) => name === servicePort.name && protocol === transport)
      .flatMap(({ port }) => slice.endpoints.map((endpoint) => ({ ...endpoint, port }))),
  );
}
