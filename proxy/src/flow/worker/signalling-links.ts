// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { MessagePort } from "node:worker_threads";
import type { MemoryViews } from "../../wasm/copy-bytes.ts";
import type { InterleavedPlan } from "../flow-plan.ts";
import { InterleavedRing } from "../interleaved-ring.ts";
import type { RtpBatch } from "../rtp-batch.ts";
import { copyPacket } from "./copy-packet.ts";
import { type Sent, SharedBatch } from "./shared-batch.ts";

/** What the main thread tells a datapath worker of an attached signalling worker. */
export interface WorkerLink {
  readonly attachment: number;
  readonly toDatapath: SharedArrayBuffer;
  readonly fromDatapath: SharedArrayBuffer;
  readonly port: MessagePort;
}

interface Link {
  readonly incoming: InterleavedRing;
  readonly outgoing: InterleavedRing;
  readonly shared: SharedBatch;
  readonly port: MessagePort;
}

const NOTHING_SENT: Sent = { sent: 0, sentBytes: 0 };

/** A datapath worker's ends of the rings between it and signalling workers. */
export class SignallingLinks {
  readonly #links = new Map<number, Link>();

  set({ attachment, toDatapath, fromDatapath, port }: WorkerLink): void {
    this.#links.get(attachment)?.port.close();
    const incoming = new InterleavedRing(toDatapath);
    const outgoing = new InterleavedRing(fromDatapath);
    this.#links.set(attachment, { incoming, outgoing, shared: new SharedBatch(outgoing), port });
  }

  remove(attachment: number): void {
    this.#links.get(attachment)?.port.close();
    this.#links.delete(attachment);
  }

  /** Calls `drain` with each ring through which something may have come. */
  drain(drain: (attachment: number, ring: InterleavedRing) => void): void {
    for (const [attachment, { incoming }] of this.#links) drain(attachment, incoming);
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
    { attachment, connection, rtpChannel }: InterleavedPlan,
    headers: Uint8Array | undefined,
    kept: Uint32Array,
    count: number,
  ): Sent {
    const shared = this.#links.get(attachment)?.shared;
    if (shared === undefined) return NOTHING_SENT;
    if (headers === undefined) shared.addPlain(connection, rtpChannel);
    else shared.addRewritten(connection, rtpChannel, headers, kept, count);
    return shared;
  }

  /** Shows what was sent, and wakes those who sleep: once per batch. */
  flush(): void {
    for (const { outgoing, port } of this.#links.values()) if (outgoing.publish()) port.postMessage(null);
  }
}
