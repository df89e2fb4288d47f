// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Node } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import type { Peer } from "./peer.ts";

/** Why a peer is sent away. */
export interface Denial {
  readonly status: "PERMISSION_DENIED" | "UNAUTHENTICATED";
  readonly message: string;
}

/**
 * Says whether a peer may connect, before its first request (`node` undefined), and whether it may be the node that it
 * says it is. Undefined lets it.
 */
export type Authorize = (peer: Peer, node: Node | undefined) => Denial | undefined;

/**
 * Checks what a node says of itself against the SPIFFE ID of the certificate that it showed: the namespace in
 * `spiffe://<trust domain>/ns/<namespace>/sa/<account>` has to be the node's. A peer without a certificate has nothing
 * to check against: it came by a listener that asks for none.
 */
export const checkIdentity: Authorize = (peer, node) => {
  if (!peer.isAuthenticated) return undefined;
  if (peer.spiffeId === undefined) {
    return { status: "UNAUTHENTICATED", message: "the client certificate has no SPIFFE ID as its URI name" };
  }
  if (node === undefined) return undefined;
  const claimed = namespaceOf(node);
  const proven = /^spiffe:\/\/[^/]+\/ns\/([^/]+)\//.exec(`${peer.spiffeId}/`)?.[1];
  if (claimed === undefined || claimed === proven) return undefined;
  const message = `node ${node.id} says namespace ${claimed}, its certificate is ${peer.spiffeId}`;
  return { status: "PERMISSION_DENIED", message };
};

/** The namespace that a node claims: its metadata's `NAMESPACE`, or that of an Istio-style id `type~ip~name.ns~domain`. */
export function namespaceOf(node: Node): string | undefined {
  const fromMetadata = node.metadata?.NAMESPACE;
  if (typeof fromMetadata === "string" && fromMetadata !== "") return fromMetadata;
  const parts = node.id.split("~");
  return parts.length === 4 ? parts[2]!.split(".")[1] : undefined;
}
