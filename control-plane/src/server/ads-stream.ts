// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { equals, typeUrls } from "@msm/xds-protos";
import { type Node, NodeSchema } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import type { ResourceEntry } from "../snapshot/resource-entry.ts";
import { resourcesOf, type Snapshot } from "../snapshot/snapshot.ts";
import { type Pending, pendingOf } from "./pending.ts";
import type { Content, Protocol, RequestHead, Response } from "./protocol.ts";
import { inSendingOrder, namingTypes, wholeTypes } from "./resource-types.ts";
import { Subscription } from "./subscription.ts";

/** What came of a response, with what was in it. */
interface Answer {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly entries: readonly ResourceEntry[];
}

/** What a stream wants done: the glue around it does it. */
export type Effect =
  /** The node is known, or says something new of itself: the stream wants the snapshots of its group from now on. */
  | { readonly kind: "bind"; readonly node: Node }
  /** The client asks for a type for the first time. */
  | { readonly kind: "subscribed"; readonly typeUrl: string }
  | { readonly kind: "send"; readonly response: Response }
  /** The client took a response, or says at connecting that it has these already. */
  | (Answer & { readonly kind: "accepted" })
  | (Answer & { readonly kind: "refused"; readonly error: string })
  /** A response that had been replaced meanwhile was refused. */
  | { readonly kind: "refusedLate"; readonly typeUrl: string }
  /** The client broke the protocol. */
  | {
      readonly kind: "end";
      readonly status: "INVALID_ARGUMENT" | "RESOURCE_EXHAUSTED";
      readonly message: string;
    };

/** What a stream is told about the service that it belongs to. */
export interface StreamRules {
  /** Whether all types come on this stream, so that they can be kept in order. True unless given. */
  readonly isAggregated?: boolean;
  /** The types that come whole; listeners and clusters unless given. */
  readonly wholeTypes?: ReadonlySet<string>;
  /** Asked about a name that does not exist: whether to leave the client waiting, since it is being made. */
  isBeingMade?(typeUrl: string, name: string): boolean;
}

// Far above any mesh, far below what hurts: a client may ask for types and names that nobody has.
const MAX_TYPES = 64;
const MAX_NAMES = 50_000;

/**
 * The server's side of one aggregated stream, without I/O: requests and snapshots go in, effects come out. At most
 * one response of a type is unanswered; what changes meanwhile is sent in its newest form after the answer.
 */
export class AdsStream<Request> {
  readonly #protocol: Protocol<Request>;
  readonly #rules: StreamRules;
  /** By type, in the order in which updates are sent. */
  #subscriptions = new Map<string, Subscription>();
  #node: Node | undefined;
  #snapshot: Snapshot | undefined;
  #nextNonce = 1;
  #hasAskedForAll = false;

  constructor(protocol: Protocol<Request>, rules: StreamRules = {}) {
    this.#protocol = protocol;
    this.#rules = rules;
  }

  /** Whether the client understands that resources expire. */
  get usesTtl(): boolean {
    return this.#protocol.usesTtl(this.#node?.clientFeatures ?? []);
  }

  /**
   * Whether the client came back with endpoints and never asked for clusters: then it waits for answers that it will
   * not get (envoyproxy/envoy issue 36951).
   */
  get lacksClusters(): boolean {
    const endpoints = this.#subscriptions.get(typeUrls.clusterLoadAssignment);
    return endpoints?.isResumed === true && !this.#subscriptions.has(typeUrls.cluster);
  }

  /** After how many milliseconds a heartbeat is due; undefined when nothing that the client has expires. */
  get heartbeatMs(): number | undefined {
    if (!this.usesTtl) return undefined;
    const lifetimes = [...this.#subscriptions.values()].flatMap((subscription) =>
      expiring(subscription).map(({ ttl }) => ttl!.ms),
    );
    // Two in a lifetime: one may come late.
    return lifetimes.length === 0 ? undefined : Math.min(...lifetimes) / 2;
  }

  /** Takes one request of the client. */
  onRequest(request: Request): readonly Effect[] {
    const head = this.#protocol.head(request);
    const bound = this.#bind(head.node);
    if (bound?.kind === "end") return [bound];
    if (head.typeUrl === "") return [invalid("type URL is required for ADS")];
    const effects: Effect[] = bound === undefined ? [] : [bound];
    const known = this.#subscriptions.get(head.typeUrl);
    const isWhole = (this.#rules.wholeTypes ?? wholeTypes).has(head.typeUrl);
    const subscription = known ?? new Subscription(head.typeUrl, isWhole);
    if (known === undefined) this.#add(subscription);
    if (this.#subscriptions.size > MAX_TYPES || subscription.names.size + head.nameCount > MAX_NAMES) {
      return [
        { kind: "end", status: "RESOURCE_EXHAUSTED", message: "too many types or names on one stream" },
      ];
    }
    const isFirst = known === undefined;
    if (isFirst) effects.push({ kind: "subscribed", typeUrl: head.typeUrl });
    const isStale = !isFirst && head.nonce !== "" && head.nonce !== subscription.lastNonce;
    if (isStale && head.error !== undefined) effects.push({ kind: "refusedLate", typeUrl: head.typeUrl });
    if (!isFirst && !isStale) effects.push(...answered(subscription, head));
    if (!isStale || this.#protocol.honoursStale) this.#protocol.subscribe(subscription, request, isFirst);
    return [...effects, ...this.#pump()];
  }

  /** Takes the newest snapshot of the stream's group. */
  onSnapshot(snapshot: Snapshot): readonly Effect[] {
    this.#snapshot = snapshot;
    return this.#pump();
  }

  /**
   * Takes what the client has asked for until now for all that it will ask for: a client that came back and takes its
   * listeners from elsewhere will not say any more that it stopped naming a cluster.
   */
  assumeAskedForAll(): readonly Effect[] {
    this.#hasAskedForAll = true;
    return this.#pump();
  }

  /** Says of what expires that it is still wanted. A type with a response under way has had word anyway. */
  onHeartbeat(): readonly Effect[] {
    return [...this.#subscriptions.values()].flatMap((subscription): Effect[] => {
      const dying = expiring(subscription);
      if (dying.length === 0 || subscription.inFlight !== undefined) return [];
      const isWhole = this.#protocol.heartbeatsWhole(subscription);
      const entries = isWhole ? [...subscription.held.values()].flatMap(({ entry }) => entry ?? []) : dying;
      const content = { version: subscription.lastVersion, entries, removed: [], isPartial: false };
      return [this.#send(subscription, content, !isWhole)];
    });
  }

  // A stream belongs to one node for good; what that node says of itself may change.
  #bind(node: Node | undefined): Extract<Effect, { kind: "bind" | "end" }> | undefined {
    const before = this.#node;
    if (before === undefined && (node === undefined || node.id === "")) {
      return invalid("missing node information: node.id");
    }
    if (node === undefined || (before !== undefined && equals(NodeSchema, node, before))) return undefined;
    if (before !== undefined && node.id !== before.id) {
      return invalid(`node.id changed from ${before.id} to ${node.id}: open a stream for each node`);
    }
    this.#node = node;
    return { kind: "bind", node };
  }

  #add(subscription: Subscription): void {
    const all = new Map(this.#subscriptions).set(subscription.typeUrl, subscription);
    this.#subscriptions = new Map(inSendingOrder(all.keys()).map((typeUrl) => [typeUrl, all.get(typeUrl)!]));
  }

  // Sends all that may be sent now, in order. A type that still has news to send holds back those after it.
  #pump(): readonly Effect[] {
    const snapshot = this.#snapshot;
    if (snapshot === undefined) return [];
    const effects: Effect[] = [];
    for (const subscription of this.#subscriptions.values()) {
      subscription.resolve(snapshot.aliases?.get(subscription.typeUrl));
      effects.push(...recognise(subscription, snapshot));
      this.#awaitMaking(subscription, snapshot);
      if (!this.#protocol.announcesRemoval(subscription)) forgetGone(subscription, snapshot);
    }
    let isHeldBack = false;
    for (const [typeUrl, subscription] of this.#subscriptions) {
      const pending = pendingOf(subscription, snapshot);
      if (pending.upserts.length === 0 && pending.removals.length === 0) {
        subscription.agreeWith(resourcesOf(snapshot, typeUrl));
      }
      if (subscription.inFlight !== undefined) {
        isHeldBack ||= pending.upserts.length > 0;
        continue;
      }
      if (isHeldBack) continue;
      const canRemove = this.#isSettled(subscription, snapshot);
      const content = this.#protocol.compose(subscription, pending, snapshot, canRemove);
      if (content === undefined) continue;
      effects.push(this.#send(subscription, content));
      noteAgreement(subscription, pending, content, snapshot);
      if (typeUrl === typeUrls.cluster) this.#oweEndpoints(pending);
      isHeldBack = content.isPartial;
    }
    return effects;
  }

  #send(subscription: Subscription, { version, entries, removed }: Content, isHeartbeat = false): Effect {
    const { typeUrl } = subscription;
    const nonce = String(this.#nextNonce++);
    subscription.sent({ nonce, version, entries, removed });
    return { kind: "send", response: { typeUrl, nonce, version, entries, removed, isHeartbeat } };
  }

  // A name that somebody is making now is not answered until it is there.
  #awaitMaking({ typeUrl, owed }: Subscription, snapshot: Snapshot): void {
    const { isBeingMade } = this.#rules;
    if (isBeingMade === undefined) return;
    const resources = resourcesOf(snapshot, typeUrl);
    for (const name of owed) if (!resources.has(name) && isBeingMade(typeUrl, name)) owed.delete(name);
  }

  // A cluster that changed waits for endpoints even if those did not (xds_protocol.rst, "Resource warming").
  #oweEndpoints({ upserts }: Pending): void {
    const endpoints = this.#subscriptions.get(typeUrls.clusterLoadAssignment);
    if (endpoints === undefined) return;
    for (const { typeUrl, name } of upserts.flatMap((entry) => entry.references)) {
      if (typeUrl === typeUrls.clusterLoadAssignment && endpoints.covers(name)) endpoints.owe(name);
    }
  }

  // Break only after make: whoever may still name a resource has taken its newest form. What a client brought along
  // may be named by listeners that it brought along too, and asks for in a moment.
  #isSettled({ typeUrl, unknown }: Subscription, snapshot: Snapshot): boolean {
    if (this.#rules.isAggregated === false) return true;
    return namingTypes(typeUrl).every((naming) => {
      const subscription = this.#subscriptions.get(naming);
      if (subscription === undefined) {
        return this.#hasAskedForAll || unknown.size === 0 || naming !== typeUrls.listener;
      }
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

// A response that says all that is to be said leaves nothing but the changes to come.
function noteAgreement(
  subscription: Subscription,
  pending: Pending,
  content: Content,
  snapshot: Snapshot,
): void {
  const isAll = !content.isPartial && content.removed.length === pending.removals.length;
  if (isAll) subscription.agreeWith(resourcesOf(snapshot, subscription.typeUrl));
  else subscription.agreed = undefined;
}

function expiring(subscription: Subscription): readonly ResourceEntry[] {
  return [...subscription.held].flatMap(([name, { entry }]) =>
    entry?.ttl !== undefined && subscription.covers(name) ? [entry] : [],
  );
}

function invalid(message: string): Extract<Effect, { kind: "end" }> {
  return { kind: "end", status: "INVALID_ARGUMENT", message };
}
