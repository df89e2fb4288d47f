// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { PeerCertificate } from "node:tls";

/** Who is at the other end of a connection. */
export interface Peer {
  /** `address:port`, as gRPC writes it. */
  readonly address: string;
  /** Whether it showed a certificate that our authorities signed. */
  readonly isAuthenticated: boolean;
  /** The SPIFFE ID of that certificate: its only URI name, `spiffe://<trust domain>/<path>`. */
  readonly spiffeId?: string;
}

/** What one peer is counted by: its identity, or its address where it has none. */
export function peerKey({ address, spiffeId }: Peer): string {
  return spiffeId ?? address.slice(0, Math.max(address.lastIndexOf(":"), 0));
}

/** Whether the peer is on this machine. */
export function isLoopback({ address }: Peer): boolean {
  return /^(ipv[46]:)?\[?(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)\]?:\d+$/.test(address);
}

/** Whether the peer may look at what others are served: it is authenticated, or on this machine. */
export function mayInspect(peer: Peer): boolean {
  return peer.isAuthenticated || isLoopback(peer);
}

/** What others are told. */
export const INSPECTION_REFUSED =
  "only authenticated peers and those on this machine may look at what proxies are served: use mutual TLS";

/** What a peer is told that asks for secrets and may not have them. */
export const SECRETS_REFUSED =
  "secrets go to authenticated peers and those on this machine alone: connect with mutual TLS";

/** Describes a peer; `certificate` is what TLS verified, undefined without TLS or without a certificate. */
export function peerOf(address: string, certificate: PeerCertificate | undefined): Peer {
  // Node gives an empty object where no certificate was shown.
  if (certificate?.raw === undefined) return { address, isAuthenticated: false };
  const spiffeId = spiffeIdOf(certificate.subjectaltname ?? "");
  return { address, isAuthenticated: true, ...(spiffeId === undefined ? {} : { spiffeId }) };
}

// An X.509-SVID has exactly one URI name (SPIFFE X509-SVID, section 2). Node quotes names that hold a comma or a quote,
// so that the list can be taken apart again without a name being mistaken for two.
function spiffeIdOf(subjectAltName: string): string | undefined {
  const names = [...subjectAltName.matchAll(/([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/gy)];
  const uris = names.flatMap(([, kind, value]) => (kind === "URI" ? [value!] : []));
  const [only] = uris;
  return uris.length === 1 && only!.startsWith("spiffe://") ? only : undefined;
}
