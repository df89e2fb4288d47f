// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Node } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import type { ResourceEntry } from "../snapshot/resource-entry.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { Pending } from "./pending.ts";
import type { Subscription } from "./subscription.ts";

/** What every request says, whichever variant of the protocol it belongs to. */
export interface RequestHead {
  readonly node: Node | undefined;
  readonly typeUrl: string;
  readonly nonce: string;
  /** Set when the request refuses a response. */
  readonly error: string | undefined;
  /** The names of which the request says that they are wanted. */
  readonly names: readonly string[];
  /** How many names the request carries in all. */
  readonly nameCount: number;
}

/** A response before it is serialised. */
export interface Response {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly version: string;
  readonly entries: readonly ResourceEntry[];
  readonly removed: readonly string[];
  /** The entries are not sent, only that they are still wanted (xds_protocol.rst, "TTL"). */
  readonly isHeartbeat?: boolean;
}

/** How a response is written for one client. */
export interface Encoding {
  /** `control_plane.identifier`; left out when empty. */
  readonly identifier: string;
  /** Whether the client understands that resources expire. */
  readonly usesTtl: boolean;
}

/** The content of a response; `isPartial` when more of the same must follow. */
export interface Content {
  readonly version: string;
  readonly entries: readonly ResourceEntry[];
  readonly removed: readonly string[];
  readonly isPartial: boolean;
}

/** What state of the world and delta do differently. */
export interface Protocol<Request> {
  /** Whether subscription changes in a request with an old nonce count (delta: yes; SotW: no). */
  readonly honoursStale: boolean;
  /** Whether clients are told that a resource of this subscription is gone. */
  announcesRemoval(subscription: Subscription): boolean;
  head(request: Request): RequestHead;
  /** Whether a client with these features is sent resources with a time to live. */
  usesTtl(clientFeatures: readonly string[]): boolean;
  /**
   * Whether a heartbeat of this subscription repeats everything with its content, because what a response lacks would
   * count as deleted (Envoy drops listeners at a heartbeat without content).
   */
  heartbeatsWhole(subscription: Subscription): boolean;
  /** Applies what the request says about names. */
  subscribe(subscription: Subscription, request: Request, isFirst: boolean): void;
  /**
   * What to send. `pending.removals` that may not go out yet are left out when `canRemove` is false. Undefined when
   * there is nothing to say.
   */
  compose(
    subscription: Subscription,
    pending: Pending,
    snapshot: Snapshot,
    canRemove: boolean,
  ): Content | undefined;
  encode(response: Response, encoding: Encoding): Uint8Array;
}

/** The client feature by which a client says that it lets resources expire. */
export const TTL_FEATURE = "xds.config.supports-resource-ttl";
