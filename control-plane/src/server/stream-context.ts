// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Any } from "@msm/xds-protos";
import type { Node } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import type { Clock } from "../clock.ts";
import type { SnapshotCache } from "../snapshot/snapshot-cache.ts";
import type { Authorize } from "./check-identity.ts";
import type { Peer } from "./peer.ts";
import type { PushQueue } from "./push-queue.ts";
import type { StreamObserver } from "./stream-observer.ts";

/** A name that a client asked for and that does not exist. */
export interface MissingResource {
  readonly group: string;
  readonly node: Node;
  readonly typeUrl: string;
  readonly name: string;
}

/** Answers to type URLs that are questions about the server and no configuration, such as Istio's debug types. */
export interface DebugTypes {
  has(typeUrl: string): boolean;
  answer(typeUrl: string, names: readonly string[]): readonly Any[];
}

/** What all streams of a server share. */
export interface StreamContext {
  readonly cache: SnapshotCache;
  readonly observer: StreamObserver;
  readonly clock: Clock;
  /** Which snapshot a node gets. */
  groupOf(node: Node): string;
  readonly queue: PushQueue;
  /** `control_plane.identifier` of every response. */
  readonly identifier: string;
  /** A response that is not answered for so long ends the stream. */
  readonly stallTimeoutMs: number;
  /** After about so long a stream is ended, so that its client may find another server. */
  readonly maxAgeMs?: number;
  /** From 0 to 1, for jitter. */
  random(): number;
  readonly authorize: Authorize;
  /** Whether a peer may be sent secrets (SDS). */
  maySeeSecrets(peer: Peer): boolean;
  readonly wholeTypes?: ReadonlySet<string>;
  /** Called for names that do not exist; true promises that they will, so that the client is left waiting. */
  onMissing?(missing: MissingResource): boolean;
  readonly debugTypes?: DebugTypes;
}
