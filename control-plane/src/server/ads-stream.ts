// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { typeUrls } from "@msm/xds-protos";
import type { ResourceEntry } from "../snapshot/resource-entry.ts";
import { resourcesOf, type Snapshot } from "../snapshot/snapshot.ts";
import { type Pending, pendingOf } from "./pending.ts";
import type { Content, Protocol, RequestHead, Response } from "./protocol.ts";
import { inSendingOrder, namingTypes } from "./resource-types.ts";
import { Subscription } from "./subscription.ts";

/** What a stream wants done: the glue around it does it. */
export type Effect =
  /** The node is known: the stream wants the snapshots of its group from now on. */
  | { readonly kind: "bind"; readonly node: NonNullable<RequestHead["node"]> }
  | { readonly kind: "send"; readonly response: Response }
  /** The client took a response, or says at connecting that it has these already. */
  | {
      readonly kind: "accepted";
      readonly typeUrl: string;
      readonly nonce: string;
      readonly entries: readonly ResourceEntry[];
    }
  | {
      readonly kind: "refused";
      readonly typeUrl: string;
      readonly nonce: string;
      readonly entries: readonly ResourceEntry[];
      readonly error: string;
    }
  /** The client broke the protocol. */
  | {
      readonly kind: "end";
      readonly status: "INVALID_ARGUMENT" | "RESOURCE_EXHAUSTED";
      readonly message: string;
    };

// Far above any mesh, far below what hurts: a client may ask for types and names that nobody has.
const MAX_TYPES = 64;
const MAX_NAMES = 50_000;

/**
 * The server's side of one aggregated stream, without I/O: requests and snapshots go in, effects come out. At most
 * one response of a type is unanswered; what changes meanwhile is sent in its newest form after the answer.
 */
export class AdsStream<Request> {
  readonly #protocol: Protocol<Request>;
  readonly #subscriptions = new Map<string, Subscription>();
  #isBound = false;
  #snapshot: Snapshot | undefined;
  #nextNonce = 1;

  constructor(protocol: Protocol<Request>) {
    this.#protocol = protocol;
  }

  /** Takes one request of the client. */
  onRequest(request: Request): readonly Effect[] {
    const head = this.#protocol.head(request);
    const effects: Effect[] = [];
    if (!this.#isBound) {
      if (head.node === undefined || head.node.id === "")
        return [invalid("missing node information: node.id")];
      this.#isBound = true;
      effects.push({ kind: "bind", node: head.node });
    }
    if (head.typeUrl === "") return [invalid("type URL is required for ADS")];
    const known = this.#subscriptions.get(head.typeUrl);
    const subscription = known ?? new Subscription(head.typeUrl);
    this.#subscriptions.set(head.typeUrl, subscription);
    if (this.#subscriptions.size > MAX_TYPES || subscription.names.size + head.nameCount > MAX_NAMES) {
      return [
        { kind: "end", status: "RESOURCE_EXHAUSTED", message: "too many types or names on one stream" },
      ];
    }
    const isFirst = known === undefined;
    const isStale = !isFirst && head.nonce !== "" && head.nonce !== subscription.lastNonce;
    if (!isFirst && !isStale) effects.push(...answered(subscription, head));
    if (!isStale || this.#protocol.honoursStale) this.#protocol.subscribe(subscription, request, isFirst);
    return [...effects, ...this.#pump()];
  }

  /** Takes the newest snapshot of the stream's group. */
  onSnapshot(snapshot: Snapshot): readonly Effect[] {
    this.#snapshot = snapshot;
    return this.#pump();
  }

  // Sends all that may be sent now, in order. A type that still has news to send holds back those after it.
  #pump(): readonly Effect[] {
    const snapshot = this.#snapshot;
    if (snapshot === undefined) return [];
    const effects: Effect[] = [];
    for (const subscription of this.#subscriptions.values()) {
      effects.push(...recognise(subscription, snapshot));
      if (!this.#protocol.announcesRemoval(subscription.typeUrl)) forgetGone(subscription, snapshot);
    }
    let isHeldBack = false;
    for (const typeUrl of inSendingOrder(this.#subscriptions.keys())) {
      const subscription = this.#subscriptions.get(typeUrl)!;
      const pending = pendingOf(subscription, snapshot);
      if (subscription.inFlight !== undefined) {
        isHeldBack ||= pending.upserts.length > 0;
        continue;
      }
      if (isHeldBack) continue;
      const canRemove = this.#isSettled(subscription, snapshot);
      const content = this.#protocol.compose(subscription, pending, snapshot, canRemove);
      if (content === undefined) continue;
      effects.push(this.#send(subscription, content));
      if (typeUrl === typeUrls.cluster) this.#oweEndpoints(pending);
      isHeldBack = content.isPartial;
    }
    return effects;
  }

  #send(subscription: Subscription, { version, entries, removed }: Content): Effect {
    const { typeUrl } = subscription;
    const nonce = String(this.#nextNonce++);
    subscription.sent({ nonce, entries, removed });
    return { kind: "send", response: { typeUrl, nonce, version, entries, removed } };
  }

  // A cluster that changed waits for endpoints even if those did not (xds_protocol.rst, "Resource warming").
  #oweEndpoints({ upserts }: Pending): void {
    const endpoints = this.#subscriptions.get(typeUrls.clusterLoadAssignment);
    if (endpoints === undefined) return;
    for (const { typeUrl, name } of upserts.flatMap((entry) => entry.references)) {
      if (typeUrl === typeUrls.clusterLoadAssignment && endpoints.covers(name)) endpoints.owed.add(name);
    }
  }

  // Break only after make: whoever may still name a resource has taken its newest form. What a client brought along
  // may be named by listeners that it brought along too, and asks for in a moment.
  #isSettled({ typeUrl, unknown }: Subscription, snapshot: Snapshot): boolean {
    return namingTypes(typeUrl).every((naming) => {
      const subscription = this.#subscriptions.get(naming);
      if (subscription === undefined) return unknown.size === 0 || naming !== typeUrls.listener;
      if (subscription.inFlight !== undefined || subscription.rejected.size > 0) return false;
      const { upserts, removals } = pendingOf(subscription, snapshot);
      return upserts.length === 0 && removals.length === 0;
    });
  }
}

// Clears the response that the request answers, if it answers one.
function answered(subscription: Subscription, head: RequestHead): Effect[] {
  const { inFlight, typeUrl } = subscription;
  if (inFlight === undefined || head.nonce !== inFlight.nonce) return [];
  subscription.inFlight = undefined;
  const { nonce, entries } = inFlight;
  if (head.error !== undefined) subscription.refused(inFlight);
  if (head.error === undefined) return [{ kind: "accepted", typeUrl, nonce, entries }];
  return [{ kind: "refused", typeUrl, nonce, entries, error: head.error }];
}

// Finds among what a reconnected client has what it has in the newest form.
function recognise(subscription: Subscription, snapshot: Snapshot): Effect[] {
  const { typeUrl, unknown, held } = subscription;
  const entries: ResourceEntry[] = [];
  for (const name of unknown) {
    const entry = resourcesOf(snapshot, typeUrl).get(name);
    if (entry === undefined || entry.version !== held.get(name)?.version) continue;
    held.set(name, { version: entry.version, entry });
    unknown.delete(name);
    entries.push(entry);
  }
  return entries.length === 0 ? [] : [{ kind: "accepted", typeUrl, nonce: "", entries }];
}

// Where the absence of a resource is not announced, it is enough to know that the client has it no more.
function forgetGone(subscription: Subscription, snapshot: Snapshot): void {
  for (const name of pendingOf(subscription, snapshot).removals) {
    if (!subscription.owed.has(name)) subscription.settle(name);
  }
}

function invalid(message: string): Effect {
  return { kind: "end", status: "INVALID_ARGUMENT", message };
}
