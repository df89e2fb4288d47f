// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Node } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { SnapshotCache } from "../snapshot/snapshot-cache.ts";
import type { ProxyRegistry } from "../status/proxy-registry.ts";
import type { AcceptRate } from "./accept-limiter.ts";
import type { Authorize } from "./check-identity.ts";
import type { Peer } from "./peer.ts";
import type { MissingResource } from "./stream-context.ts";
import type { StreamObserver } from "./stream-observer.ts";
import type { TlsFiles } from "./tls-credentials.ts";

/** An address that the server listens on. */
export interface XdsListener {
  /** `host:port`; port 0 takes a free one. */
  readonly address: string;
  /** Plain text without. */
  readonly tls?: TlsFiles;
}

/** How to run an xDS server. */
export interface XdsServerOptions {
  readonly cache: SnapshotCache;
  readonly listeners: readonly XdsListener[];
  /** Which snapshot of the cache a node gets; everybody gets that of the group `default` unless given. */
  groupOf?(node: Node): string;
  /** Are told what happens on the streams. */
  readonly observers?: readonly StreamObserver[];
  /** Where the state of the connected proxies is kept; a new registry unless given. */
  readonly proxies?: ProxyRegistry;
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** `control_plane.identifier` of every response; Istio's tools read a JSON object in it. */
  readonly identifier?: string;
  /** While it says false new streams are refused with UNAVAILABLE, so that clients try another server. */
  isReady?(): boolean;
  /** Asked beside the check of SPIFFE identities, for each stream and for each node. */
  readonly authorize?: Authorize;
  /**
   * Whether a peer may be sent secrets; unless given, those on this machine and those with a certificate may. A stream of
   * another that asks for them ends with PERMISSION_DENIED.
   */
  maySeeSecrets?(peer: Peer): boolean;
  /** Called for names that do not exist; true promises that they will, so that the client is left waiting. */
  onMissing?(missing: MissingResource): boolean;
  /** Type URLs whose SotW responses hold everything and that are all wanted by default; listeners and clusters. */
  readonly wholeTypes?: readonly string[];
  /** A client that leaves a response unanswered for so long is disconnected. Default 30 s. */
  readonly stallTimeoutMs?: number;
  /** Connections are ended after about so long, a tenth more or less, so that replicas share the load. Default never. */
  readonly maxConnectionAgeMs?: number;
  /** Streams that one address, or one SPIFFE identity, may have open. Default 10,000. */
  readonly maxStreamsPerPeer?: number;
  /** How fast new streams are served. Default 500 a second after the first 500. */
  readonly accept?: AcceptRate;
}

/** A listening xDS server. */
export interface XdsServer {
  /** The addresses and ports that it got, in the order of the listeners. */
  readonly addresses: readonly string[];
  readonly proxies: ProxyRegistry;
  /** Ends every stream with UNAVAILABLE and frees the ports. */
  close(): Promise<void>;
}

/** What is used where nothing is given. */
export const serverDefaults = {
  stallTimeoutMs: 30_000,
  maxStreamsPerPeer: 10_000,
  // A core does some 600 TLS handshakes a second; what comes faster than it can be served only makes all late.
  accept: { perSecond: 500, burst: 500, maxWaiting: 20_000 },
} as const;

/** Options of the gRPC library. */
export function grpcOptions({ maxConnectionAgeMs }: Pick<XdsServerOptions, "maxConnectionAgeMs">) {
  return {
    // A proxy that vanished without closing its connection is noticed within 40 s.
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
    "grpc.keepalive_permit_without_calls": 1,
    // A proxy has one stream, or one for each type; as many again while it reconnects.
    "grpc.max_concurrent_streams": 64,
    // Nobody asks for it, and it keeps records of every connection.
    "grpc.enable_channelz": 0,
    // Requests are names and versions; a proxy's whole subscription fits many times over.
    "grpc.max_receive_message_length": 4 * 1024 * 1024,
    "grpc.max_send_message_length": -1,
    // The library itself spreads this by a tenth. Streams are ended by us, a little later.
    ...(maxConnectionAgeMs === undefined ? {} : { "grpc.max_connection_age_ms": maxConnectionAgeMs }),
  };
}
