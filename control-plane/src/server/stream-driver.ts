// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { create, toBinary, typeUrls } from "@msm/xds-protos";
import type { Node } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import { DiscoveryResponseSchema } from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { AdsStream, type Effect } from "./ads-stream.ts";
import type { Denial } from "./check-identity.ts";
import { INSPECTION_REFUSED, mayInspect, type Peer, SECRETS_REFUSED } from "./peer.ts";
import type { Protocol, RequestHead, Response } from "./protocol.ts";
import type { StreamContext } from "./stream-context.ts";
import type { StreamInfo } from "./stream-observer.ts";
import { Timers } from "./timers.ts";

/** The status of a stream that the server ends. */
export type EndStatus =
  | Extract<Effect, { readonly kind: "end" }>["status"]
  | Denial["status"]
  | "DEADLINE_EXCEEDED"
  | "UNAVAILABLE";

/** The connection under a stream. */
export interface Connection {
  readonly peer: Peer;
  write(bytes: Uint8Array): void;
  end(status: EndStatus, message: string): void;
}

/** What kind of stream it is. */
export interface StreamKind<Request> {
  readonly variant: StreamInfo["variant"];
  readonly protocol: Protocol<Request>;
  readonly isAggregated: boolean;
}

// gRPC clients take no more unless told otherwise.
const USUAL_LIMIT_BYTES = 4 * 1024 * 1024;
// A client that reconnects sends the requests of all its types at once.
const REQUESTS_EXPECTED_MS = 15_000;

/** Carries out what a stream's state machine wants: writes, watches snapshots, tells the observer, keeps time. */
export class StreamDriver<Request> {
  static #nextId = 1;
  readonly #id = StreamDriver.#nextId++;
  readonly #stream: AdsStream<Request>;
  readonly #kind: StreamKind<Request>;
  readonly #connection: Connection;
  readonly #context: StreamContext;
  readonly #timers: Timers;
  readonly #push = (): void => {
    const { group, nodeId } = this.#info!;
    this.#takeSnapshot(this.#context.cache.get(group, nodeId));
  };
  #info: StreamInfo | undefined;
  #node: Node | undefined;
  #snapshot: Snapshot | undefined;
  #unwatch: (() => void) | undefined;
  #hasAsked = false;
  #isClosed = false;

  constructor(kind: StreamKind<Request>, connection: Connection, context: StreamContext) {
    this.#kind = kind;
    this.#connection = connection;
    this.#context = context;
    this.#timers = new Timers(context.clock);
    const { wholeTypes, onMissing } = context;
    this.#stream = new AdsStream(kind.protocol, {
      isAggregated: kind.isAggregated,
      ...(wholeTypes === undefined ? {} : { wholeTypes }),
      ...(onMissing === undefined
        ? {}
        : { isBeingMade: (typeUrl, name) => this.#isBeingMade(typeUrl, name) }),
    });
    this.#limitAge();
  }

  request(request: Request): void {
    if (this.#isClosed) return;
    const head = this.#kind.protocol.head(request);
    if (this.#context.debugTypes?.has(head.typeUrl)) {
      this.#answerDebug(head);
      return;
    }
    if (head.typeUrl === typeUrls.secret && !this.#context.maySeeSecrets(this.#connection.peer)) {
      this.#end("PERMISSION_DENIED", SECRETS_REFUSED);
      return;
    }
    this.#perform(this.#stream.onRequest(request));
    if (!this.#isClosed) this.#watchOver();
  }

  /** Tells the client to go elsewhere, and frees everything. */
  shutDown(): void {
    if (!this.#isClosed) this.#end("UNAVAILABLE", "the control plane is shutting down");
  }

  /** Frees everything; safe to call more than once. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#unwatch?.();
    this.#context.queue.remove(this.#push);
    this.#timers.clear();
    if (this.#info !== undefined) this.#context.observer.closed(this.#info);
  }

  #perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (this.#isClosed) return;
      if (effect.kind === "end") this.#end(effect.status, effect.message);
      else if (effect.kind === "bind") this.#bind(effect.node);
      else this.#performBound(effect, this.#info!);
    }
  }

  #performBound(effect: Exclude<Effect, { kind: "bind" | "end" }>, info: StreamInfo): void {
    const { observer } = this.#context;
    if (effect.kind === "send") {
      observer.sent(info, effect.response);
      this.#send(effect.response, info);
      return;
    }
    if (effect.kind === "subscribed") {
      observer.subscribed?.(info, effect.typeUrl);
      return;
    }
    if (effect.kind === "refusedLate") {
      observer.noticed?.(info, { kind: "late-refusal", typeUrl: effect.typeUrl });
      return;
    }
    const { typeUrl, nonce, entries } = effect;
    if (nonce !== "") this.#timers.stop(typeUrl);
    if (effect.kind === "accepted") observer.accepted(info, typeUrl, nonce, entries);
    else observer.refused(info, typeUrl, nonce, entries, effect.error);
  }

  // A question about the server is answered at once, needs no node, and its answer no ACK. The nonce may be anything but
  // that of an answer: istioctl puts the time there.
  #answerDebug({ typeUrl, nonce, names }: RequestHead): void {
    const { debugTypes, identifier } = this.#context;
    const { peer } = this.#connection;
    const ownNonce = `debug-${this.#id}`;
    if (nonce === ownNonce) return;
    if (!mayInspect(peer)) {
      this.#end("PERMISSION_DENIED", INSPECTION_REFUSED);
      return;
    }
    const resources = [...debugTypes!.answer(typeUrl, names)];
    const fields = { typeUrl, nonce: ownNonce, resources, controlPlane: { identifier } };
    this.#connection.write(toBinary(DiscoveryResponseSchema, create(DiscoveryResponseSchema, fields)));
  }

  // A node that changes what it says of itself may belong to another group from then on.
  #bind(node: Node): void {
    const { observer, cache, queue, authorize } = this.#context;
    const denial = authorize(this.#connection.peer, node);
    if (denial !== undefined) {
      this.#end(denial.status, denial.message);
      return;
    }
    const group = this.#context.groupOf(node);
    const hasMoved = this.#info?.group !== group;
    this.#node = node;
    const { variant } = this.#kind;
    this.#info = { id: this.#id, nodeId: node.id, group, variant, peer: this.#connection.peer.address };
    observer.opened(this.#info, node);
    if (!hasMoved) return;
    this.#unwatch?.();
    this.#unwatch = cache.watch(group, () => queue.add(this.#push), node.id);
    // The first answer does not wait for its turn.
    queue.remove(this.#push);
    this.#takeSnapshot(cache.get(group, node.id));
  }

  #takeSnapshot(snapshot: Snapshot | undefined): void {
    if (this.#isClosed || snapshot === undefined || snapshot === this.#snapshot) return;
    this.#snapshot = snapshot;
    this.#perform(this.#stream.onSnapshot(snapshot));
    if (!this.#isClosed) this.#keepAlive();
  }

  #send(response: Response, info: StreamInfo): void {
    const { stallTimeoutMs, observer, identifier } = this.#context;
    const { typeUrl } = response;
    const bytes = this.#kind.protocol.encode(response, { identifier, usesTtl: this.#stream.usesTtl });
    if (bytes.length > USUAL_LIMIT_BYTES) {
      observer.noticed?.(info, { kind: "oversized", typeUrl, bytes: bytes.length });
    }
    try {
      this.#connection.write(bytes);
    } catch (error) {
      this.#end("UNAVAILABLE", `cannot send: ${error instanceof Error ? error.message : error}`);
      return;
    }
    this.#timers.start(typeUrl, stallTimeoutMs, () => {
      observer.stalled(info);
      this.#end("DEADLINE_EXCEEDED", `no answer to a response within ${stallTimeoutMs} ms`);
    });
  }

  #isBeingMade(typeUrl: string, name: string): boolean {
    const { onMissing } = this.#context;
    return onMissing!({ group: this.#info!.group, node: this.#node!, typeUrl, name });
  }

  #watchOver(): void {
    this.#keepAlive();
    const { observer } = this.#context;
    if (this.#hasAsked) return;
    this.#hasAsked = true;
    this.#timers.start("requests", REQUESTS_EXPECTED_MS, () => {
      const lacksClusters = this.#stream.lacksClusters && this.#kind.isAggregated;
      if (lacksClusters) observer.noticed?.(this.#info!, { kind: "no-clusters", typeUrl: typeUrls.cluster });
      this.#perform(this.#stream.assumeAskedForAll());
    });
  }

  #keepAlive(): void {
    const periodMs = this.#stream.heartbeatMs;
    if (periodMs === undefined || this.#timers.has("heartbeat")) return;
    this.#timers.start("heartbeat", periodMs, () => {
      this.#perform(this.#stream.onHeartbeat());
      if (!this.#isClosed) this.#keepAlive();
    });
  }

  // Spread over a fifth of the age, so that the streams of one storm do not make the next one. The connection below is
  // told to go away at the age itself, a tenth more or less: the new stream is opened on a new connection.
  #limitAge(): void {
    const { maxAgeMs, random } = this.#context;
    if (maxAgeMs === undefined) return;
    const ageMs = Math.round(maxAgeMs * (1.1 + 0.2 * random()));
    this.#timers.start("age", ageMs, () => this.#end("UNAVAILABLE", "the connection has reached its age"));
  }

  #end(status: EndStatus, message: string): void {
    if (this.#isClosed) return;
    this.close();
    this.#connection.end(status, message);
  }
}
