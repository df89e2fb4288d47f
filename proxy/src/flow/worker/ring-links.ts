// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { MessagePort } from "node:worker_threads";
import type { MemoryViews } from "../../wasm/copy-bytes.ts";
import { InterleavedRing } from "../interleaved-ring.ts";
import type { RtpBatch } from "../rtp-batch.ts";
import { copyPacket } from "./copy-packet.ts";
import { type Sent, SharedBatch } from "./shared-batch.ts";

/** What the main thread tells a datapath worker of an attached signalling worker, or of another datapath worker. */
export interface WorkerLink {
  /** Below zero for a datapath worker; see `trunkAttachment`. */
  readonly attachment: number;
  readonly incoming: SharedArrayBuffer;
  readonly outgoing: SharedArrayBuffer;
  /** Where the other end is woken: a port that it watches, or the number of its eventfd. */
  readonly bell: MessagePort | number;
}

interface Link {
  readonly incoming: InterleavedRing;
  readonly outgoing: InterleavedRing;
  readonly shared: SharedBatch;
  readonly bell: MessagePort | number;
}

const NOTHING_SENT: Sent = { sent: 0, sentBytes: 0 };

/** A datapath worker's ends of the rings between it and other threads: signalling workers, and datapath workers. */
export class RingLinks {
  readonly #wake: (eventfd: number) => void;
  readonly #links = new Map<number, Link>();

  /** `wake` rings the eventfd of another datapath worker. */
  constructor(wake: (eventfd: number) => void) {
    this.#wake = wake;
  }

  set(link: WorkerLink): void {
    const { attachment, bell } = link;
    this.remove(attachment);
    const incoming = new InterleavedRing(link.incoming);
    const outgoing = new InterleavedRing(link.outgoing);
    this.#links.set(attachment, { incoming, outgoing, shared: new SharedBatch(outgoing), bell });
  }

  remove(attachment: number): void {
    const bell = this.#links.get(attachment)?.bell;
    if (typeof bell === "object") bell.close();
    this.#links.delete(attachment);
  }

  /**
   * Calls `drain` with each ring through which something may have come; it returns whether it left something there.
   * Returns whether any did.
   */
  drain(drain: (attachment: number, ring: InterleavedRing) => boolean): boolean {
    let isAnyLeft = false;
    for (const [attachment, { incoming }] of this.#links) if (drain(attachment, incoming)) isAnyLeft = true;
    return isAnyLeft;
  }

  /** Hands a packet to one connection. Returns false where there is no room, or no such attachment any more. */
  send(
    attachment: number,
    connection: number,
    channel: number,
    from: MemoryViews,
    start: number,
    length: number,
  ): boolean {
    const ring = this.#links.get(attachment)?.outgoing;
    if (ring === undefined) return false;
    const to = ring.reserve(connection, channel, length);
    if (to < 0) return false;
    copyPacket(ring, to, from, start, length);
    return true;
  }

  /** What `sendCopies` sends next are copies of these datagrams, which stand in `from`. */
  begin(batch: RtpBatch, from: MemoryViews): void {
    for (const { shared } of this.#links.values()) shared.begin(batch, from);
  }

  /**
   * Hands a connection all datagrams of the batch as they are; with `headers` those of the positions `kept[0, count)`
   * alone, each with 12 bytes of `headers` in place of its first. Returns what was sent, until the next call.
   */
  sendCopies(
    attachment: number,
    connection: number,
    channel: number,
    headers: Uint8Array | undefined,
    kept: Uint32Array,
    count: number,
  ): Sent {
    const shared = this.#links.get(attachment)?.shared;
    if (shared === undefined) return NOTHING_SENT;
    if (headers === undefined) shared.addPlain(connection, channel);
    else shared.addRewritten(connection, channel, headers, kept, count);
    return shared;
  }

  /** Shows what was sent, and wakes those who sleep: once per batch. */
  flush(): void {
    for (const { outgoing, bell } of this.#links.values()) {
      if (!outgoing.publish()) continue;
      if (typeof bell === "number") this.#wake(bell);
      else bell.postMessage(null);
    }
  }
}
