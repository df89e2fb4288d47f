// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { PeerCertificate } from "node:tls";
import { status } from "@grpc/grpc-js";
import type { Logger } from "../logger.ts";
import type { AcceptLimiter } from "./accept-limiter.ts";
import type { Authorize, Denial } from "./check-identity.ts";
import { type Peer, peerKey, peerOf } from "./peer.ts";

/** What the gate has to know. */
export interface GateOptions {
  readonly limiter: AcceptLimiter;
  readonly authorize: Authorize;
  /** Streams that one peer may have open at once. */
  readonly maxStreamsPerPeer: number;
  /** False sends clients to another server. */
  isReady(): boolean;
  readonly logger: Logger;
}

/** The part of a gRPC call that the gate touches. */
export interface GatedCall {
  on(event: "cancelled" | "close", run: () => void): unknown;
  on(event: "error", run: (error: Error) => void): unknown;
  emit(event: "error", error: object): unknown;
}

/** What serves a stream once it is in. */
export interface Served {
  close(): void;
  shutDown(): void;
}

type Refusal = Denial | { readonly status: "UNAVAILABLE" | "RESOURCE_EXHAUSTED"; readonly message: string };

/** Decides who gets a stream and when, counts the streams of each peer, and knows all that are open. */
export class StreamGate {
  readonly #options: GateOptions;
  readonly #served = new Set<Served>();
  readonly #streamsOf = new Map<string, number>();

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** Why a peer may not come in now; undefined if it may. */
  denial(peer: Peer): Refusal | undefined {
    const { authorize, isReady, maxStreamsPerPeer } = this.#options;
    const denied = authorize(peer, undefined);
    if (denied !== undefined) return denied;
    if (!isReady()) return { status: "UNAVAILABLE", message: "no configuration yet: try another server" };
    if ((this.#streamsOf.get(peerKey(peer)) ?? 0) < maxStreamsPerPeer) return undefined;
    return {
      status: "RESOURCE_EXHAUSTED",
      message: `${peerKey(peer)} has ${maxStreamsPerPeer} streams open already`,
    };
  }

  /** Lets a stream in, now or in its turn: `serve` is called then. Whatever ends the call frees what it has. */
  enter(call: GatedCall, peer: Peer, serve: () => Served): void {
    let served: Served | undefined;
    const refuse = ({ status: name, message }: Refusal): void => {
      call.emit("error", { code: status[name], details: message });
    };
    const denied = this.denial(peer);
    // Without someone who hears of it an error would end the process.
    call.on("error", (error) => {
      leave();
      this.#options.logger.debug({ peer: peer.address, reason: error.message }, "xds stream ended");
    });
    const release = denied === undefined ? this.#count(peerKey(peer)) : () => {};
    let leaveQueue: (() => void) | undefined;
    const leave = (): void => {
      release();
      leaveQueue?.();
      if (served === undefined) return;
      served.close();
      this.#served.delete(served);
    };
    if (denied !== undefined) {
      refuse(denied);
      return;
    }
    call.on("cancelled", leave);
    call.on("close", leave);
    leaveQueue = this.#options.limiter.admit(() => {
      served = serve();
      this.#served.add(served);
    });
    if (leaveQueue === undefined) {
      refuse({
        status: "RESOURCE_EXHAUSTED",
        message: "too many streams wait to be let in: try again later",
      });
    }
  }

  /** Sends every client elsewhere. */
  shutDown(): void {
    for (const served of [...this.#served]) served.shutDown();
  }

  #count(key: string): () => void {
    this.#streamsOf.set(key, (this.#streamsOf.get(key) ?? 0) + 1);
    let isCounted = true;
    return () => {
      if (!isCounted) return;
      isCounted = false;
      const left = this.#streamsOf.get(key)! - 1;
      if (left === 0) this.#streamsOf.delete(key);
      else this.#streamsOf.set(key, left);
    };
  }
}

/** Who made a call. */
export function peerOfCall(call: {
  getPeer(): string;
  getAuthContext(): { readonly sslPeerCertificate?: PeerCertificate };
}): Peer {
  return peerOf(call.getPeer(), call.getAuthContext().sslPeerCertificate);
}
