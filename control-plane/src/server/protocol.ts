// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { ResourceEntry } from "../snapshot/resource-entry.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { Pending } from "./pending.ts";
import type { Subscription } from "./subscription.ts";

/** What every request says, whichever variant of the protocol it belongs to. */
export interface RequestHead {
  readonly node: { readonly id: string; readonly userAgentName: string } | undefined;
  readonly typeUrl: string;
  readonly nonce: string;
  /** Set when the request refuses a response. */
  readonly error: string | undefined;
  /** How many names the request carries. */
  readonly nameCount: number;
}

/** A response before it is serialised. */
export interface Response {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly version: string;
  readonly entries: readonly ResourceEntry[];
  readonly removed: readonly string[];
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
  /** Whether clients are told that a resource of this type is gone. */
  announcesRemoval(typeUrl: string): boolean;
  head(request: Request): RequestHead;
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
  encode(response: Response): Uint8Array;
}
