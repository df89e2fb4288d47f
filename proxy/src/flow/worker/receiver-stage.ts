// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Action, DESCRIPTOR_WORDS, Flag, Word } from "../../datapath/batch.ts";
import type { Ring } from "../../datapath/ring.ts";
import type { CopySender } from "../../io/copy-sender.ts";
import { FIRST_SESSION_CONTEXT } from "../../wasm/abi.ts";
import type { MemoryViews } from "../../wasm/copy-bytes.ts";
import type { FilterChain } from "../../wasm/filter-chain.ts";
import { LegDrop, LegNumber, type LegRecords, LegWord } from "../leg-records.ts";
import { RTP_HEADER_BYTES } from "../rtp-header.ts";
import { EGRESS_CAPACITY, EgressBatch } from "./egress-batch.ts";
import type { RingLinks } from "./ring-links.ts";
import type { RunningLeg } from "./running-flow.ts";

/** What the stage works with. */
export interface ReceiverStageParts {
  readonly records: LegRecords;
  readonly copies: CopySender;
  readonly links: RingLinks;
  /** A chain has run: it may have something outgoing, or something that is due sooner. */
  readonly onRun: (chain: FilterChain) => void;
}

/**
 * Filters at stage EGRESS: behind the fan-out, one session for each receiver. What is to be sent is gathered over as many
 * receivers as fit into a batch, so that a filter is called once for many of them, and leaves from the batch's own memory.
 */
export class ReceiverStage {
  readonly #parts: ReceiverStageParts;
  /** Made when it is first needed: few workers have such filters. */
  #batch: EgressBatch | undefined;
  /** The chain that what is gathered goes through. */
  #chain: FilterChain | undefined;
  /** What goes on of one leg: offsets in the batch, and lengths. */
  readonly #offsets = new Uint32Array(EGRESS_CAPACITY);
  readonly #lengths = new Uint32Array(EGRESS_CAPACITY);

  constructor(parts: ReceiverStageParts) {
    this.#parts = parts;
  }

  /** Adds a datagram for a receiver; with `headers`, its RTP header is the one at `header` there. */
  addMedia(
    leg: RunningLeg,
    from: MemoryViews,
    start: number,
    length: number,
    headers: Uint8Array | undefined,
    header: number,
    nowMs: number,
  ): void {
    const to = this.#add(leg, false, from, start, length, nowMs);
    if (headers === undefined) return;
    const { bytes } = this.#needBatch();
    for (let i = 0; i < RTP_HEADER_BYTES; i++) bytes[to + i] = headers[header + i]!;
  }

  /** Adds a compound of RTCP for a receiver. */
  addControl(leg: RunningLeg, from: MemoryViews, start: number, length: number, nowMs: number): void {
    this.#add(leg, true, from, start, length, nowMs);
  }

  /** Runs what was added through its filters and sends what goes on. */
  flush(nowMs: number): void {
    const chain = this.#chain;
    const batch = this.#batch;
    if (chain === undefined || batch === undefined || batch.count === 0) return;
    chain.run(batch, 0, batch.count, false, nowMs * 1e6);
    this.#parts.onRun(chain);
    this.#deliver(batch);
  }

  /** Sends a datagram that the filters have let go on later than the rest: added, held or continued. */
  sendLate(leg: RunningLeg, isControl: boolean, from: MemoryViews, start: number, length: number): void {
    const batch = this.#needBatch();
    if (!batch.hasRoom(length)) this.#deliver(batch);
    batch.add(leg, isControl, from, start, length);
  }

  /** Sends what `sendLate` took. */
  flushLate(): void {
    if (this.#batch !== undefined) this.#deliver(this.#batch);
  }

  /**
   * Shows the filters what came from a receiver in a slot of the ring, before anybody else looks at it. Returns whether it
   * goes on, as the slot's descriptor says.
   */
  fromReceiver(leg: RunningLeg, ring: Ring, slot: number, nowMs: number): boolean {
    const chain = leg.flow.receiverChain;
    if (chain === undefined) return true;
    ring.describe(slot, leg.record + FIRST_SESSION_CONTEXT);
    const first = ring.firstDescriptor[slot]!;
    const at = (ring.descriptors >> 2) + first * DESCRIPTOR_WORDS;
    ring.words[at + Word.flags]! |= Flag.UpstreamDirection;
    chain.run(ring, first, 1, true, nowMs * 1e6);
    this.#parts.onRun(chain);
    return (ring.words[at + Word.action]! & 0xff) === Action.Continue;
  }

  #add(
    leg: RunningLeg,
    isControl: boolean,
    from: MemoryViews,
    start: number,
    length: number,
    nowMs: number,
  ): number {
    const chain = leg.flow.receiverChain;
    const batch = this.#needBatch();
    if (chain !== this.#chain || !batch.hasRoom(length)) this.flush(nowMs);
    this.#chain = chain;
    return batch.add(leg, isControl, from, start, length);
  }

  #needBatch(): EgressBatch {
    if (this.#batch === undefined) {
      this.#batch = new EgressBatch();
      this.#parts.copies.attach(this.#batch.bytes);
    }
    return this.#batch;
  }

  /** Sends what goes on, leg by leg, and empties the batch. */
  #deliver(batch: EgressBatch): void {
    const { words, count, legs, isControl } = batch;
    for (let i = 0, end = 0; i < count; i = end) {
      const leg = legs[i]!;
      let kept = 0;
      for (end = i; end < count && legs[end] === leg && isControl[end] === isControl[i]; end++) {
        const at = end * DESCRIPTOR_WORDS;
        if ((words[at + Word.action]! & 0xff) !== Action.Continue) continue;
        this.#offsets[kept] = words[at + Word.data]!;
        this.#lengths[kept++] = words[at + Word.length]! & 0xffff;
      }
      if (kept > 0) this.#send(batch, leg, isControl[i] === 1, kept);
    }
    this.#parts.copies.flush();
    batch.clear();
  }

  #send(
    batch: EgressBatch,
    { record, plan: { transport } }: RunningLeg,
    isControl: boolean,
    kept: number,
  ): void {
    const { records, copies, links } = this.#parts;
    if (transport.kind === "trunk") return;
    if (transport.kind === "interleaved") {
      const { attachment, connection, rtpChannel, rtcpChannel } = transport;
      const channel = isControl ? rtcpChannel : rtpChannel;
      if (channel === undefined) return;
      for (let i = 0; i < kept; i++) {
        const length = this.#lengths[i]!;
        const isSent = links.send(attachment, connection, channel, batch, this.#offsets[i]!, length);
        this.#count(record, isControl, isSent, length);
      }
      return;
    }
    const address = isControl ? LegWord.remoteRtcp : LegWord.remote;
    const socket = isControl ? transport.rtcp : transport.rtp;
    if (socket < 0) return;
    if (records.addressLength(record, address) === 0) records.add(record, LegDrop.inactive, kept);
    else if (!isControl) copies.addOwn(record, socket, this.#offsets, this.#lengths, kept);
    else
      for (let i = 0; i < kept; i++)
        copies.addPacket(record, address, socket, batch.bytes, this.#offsets[i]!, this.#lengths[i]!);
  }

  #count(record: number, isControl: boolean, isSent: boolean, length: number): void {
    const { records } = this.#parts;
    if (!isSent) {
      records.add(record, LegDrop.backPressure, 1);
      return;
    }
    records.add(record, LegNumber.sentDatagrams, 1);
    records.add(record, LegNumber.sentBytes, length);
    if (isControl) return;
    records.add(record, LegNumber.sentPackets, 1);
    records.add(record, LegNumber.sentOctets, length - RTP_HEADER_BYTES);
  }
}
