// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock } from "../clock.ts";
import { groupOf } from "../snapshot/group.ts";
import type { SnapshotCache } from "../snapshot/snapshot-cache.ts";
import { AdsStream, type Effect } from "./ads-stream.ts";
import type { Protocol, Response } from "./protocol.ts";
import type { StreamInfo, StreamObserver } from "./stream-observer.ts";

/** The status of a stream that the server ends. */
export type EndStatus =
  | Extract<Effect, { readonly kind: "end" }>["status"]
  | "DEADLINE_EXCEEDED"
  | "UNAVAILABLE";

/** The connection under a stream. */
export interface Connection {
  readonly peer: string;
  write(bytes: Uint8Array): void;
  end(status: EndStatus, message: string): void;
}

/** What all streams share. */
export interface StreamContext {
  readonly cache: SnapshotCache;
  readonly observer: StreamObserver;
  readonly clock: Clock;
  /** A response that is not answered for so long ends the stream. */
  readonly stallTimeoutMs: number;
}

/** Carries out what a stream's state machine wants: writes, watches snapshots, tells the observer, keeps time. */
export class StreamDriver<Request> {
  static #nextId = 1;
  readonly #id = StreamDriver.#nextId++;
  readonly #stream: AdsStream<Request>;
  readonly #protocol: Protocol<Request>;
  readonly #variant: StreamInfo["variant"];
  readonly #connection: Connection;
  readonly #context: StreamContext;
  readonly #stallTimers = new Map<string, () => void>();
  #info: StreamInfo | undefined;
  #unwatch: (() => void) | undefined;
  #isClosed = false;

  constructor(
    variant: StreamInfo["variant"],
    protocol: Protocol<Request>,
    connection: Connection,
    context: StreamContext,
  ) {
    this.#variant = variant;
    this.#protocol = protocol;
    this.#connection = connection;
    this.#context = context;
    this.#stream = new AdsStream(protocol);
  }

  request(request: Request): void {
    if (!this.#isClosed) this.#perform(this.#stream.onRequest(request));
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
    for (const cancel of this.#stallTimers.values()) cancel();
    this.#stallTimers.clear();
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
      this.#send(effect.response);
      return;
    }
    const { typeUrl, nonce, entries } = effect;
    if (nonce !== "") this.#stopStallTimer(typeUrl);
    if (effect.kind === "accepted") observer.accepted(info, typeUrl, nonce, entries);
    else observer.refused(info, typeUrl, nonce, entries, effect.error);
  }

  #bind(node: { readonly id: string; readonly userAgentName: string }): void {
    const group = groupOf(node).name;
    const { observer, cache } = this.#context;
    this.#info = {
      id: this.#id,
      nodeId: node.id,
      group,
      variant: this.#variant,
      peer: this.#connection.peer,
    };
    observer.opened(this.#info);
    this.#unwatch = cache.watch(group, (snapshot) => this.#perform(this.#stream.onSnapshot(snapshot)));
  }

  #send(response: Response): void {
    const { clock, stallTimeoutMs } = this.#context;
    this.#connection.write(this.#protocol.encode(response));
    this.#stopStallTimer(response.typeUrl);
    const cancel = clock.after(stallTimeoutMs, () => {
      if (this.#info !== undefined) this.#context.observer.stalled(this.#info);
      this.#end("DEADLINE_EXCEEDED", `no answer to a response within ${stallTimeoutMs} ms`);
    });
    this.#stallTimers.set(response.typeUrl, cancel);
  }

  #stopStallTimer(typeUrl: string): void {
    this.#stallTimers.get(typeUrl)?.();
    this.#stallTimers.delete(typeUrl);
  }

  #end(status: EndStatus, message: string): void {
    this.close();
    this.#connection.end(status, message);
  }
}
