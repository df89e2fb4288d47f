// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Ring } from "../../datapath/ring.ts";
import { type CopySender, MOST_COPIED } from "../../io/copy-sender.ts";
import type { InterleavedPlan } from "../flow-plan.ts";
import { LegDrop, LegNumber, type LegRecords, LegWord } from "../leg-records.ts";
import { rewriteBatch } from "../rewrite.ts";
import { RtpBatch } from "../rtp-batch.ts";
import { RTP_HEADER_BYTES } from "../rtp-header.ts";
import type { RunningFlow, RunningLeg } from "./running-flow.ts";
import type { SignallingLinks } from "./signalling-links.ts";

/** Sends what a flow's chain let pass to the flow's receivers, each with its headers and counters. */
export class FanOut {
  /** The datagrams that are sent next. */
  readonly batch = new RtpBatch(MOST_COPIED);
  readonly #ring: Ring;
  readonly #records: LegRecords;
  readonly #copies: CopySender;
  readonly #links: SignallingLinks;
  readonly #kept = new Uint32Array(MOST_COPIED);
  readonly #headers = new Uint8Array(MOST_COPIED * RTP_HEADER_BYTES);

  constructor(ring: Ring, records: LegRecords, copies: CopySender, links: SignallingLinks) {
    this.#ring = ring;
    this.#records = records;
    this.#copies = copies;
    this.#links = links;
  }

  /** Sends the batch to every receiver that is enabled, and empties it. */
  send({ receivers, active }: RunningFlow, nowMs: number): void {
    if (this.batch.count === 0 || active === undefined) return;
    this.#copies.begin(this.batch);
    this.#links.begin(this.batch, this.#ring);
    for (const leg of receivers) {
      const { transport } = leg.plan;
      if (transport.kind === "interleaved") this.#sendInterleaved(leg, transport, active.record, nowMs);
      else if (this.#records.addressLength(leg.record, LegWord.remote) > 0)
        this.#sendUdp(leg, transport.rtp, active.record, nowMs);
      else this.#records.add(leg.record, LegDrop.inactive, this.batch.count);
    }
    this.#copies.flush();
    this.batch.clear();
  }

  #sendUdp({ record, task }: RunningLeg, socket: number, source: number, nowMs: number): void {
    const copies = this.#copies;
    if (task === undefined) {
      copies.addPlain(record, socket);
      return;
    }
    const to = copies.reserveHeaders(this.batch.count);
    const from = this.#ring.bytes;
    const kept = this.#kept;
    const count = rewriteBatch(
      task,
      source,
      this.#records,
      this.batch,
      from,
      copies.headers,
      to,
      kept,
      nowMs,
    );
    if (count > 0) copies.addRewritten(record, socket, kept, count, to);
  }

  #sendInterleaved(
    { record, task }: RunningLeg,
    transport: InterleavedPlan,
    source: number,
    nowMs: number,
  ): void {
    const { batch } = this;
    const kept = this.#kept;
    const from = this.#ring.bytes;
    const count =
      task === undefined
        ? batch.count
        : rewriteBatch(task, source, this.#records, batch, from, this.#headers, 0, kept, nowMs);
    const headers = task === undefined ? undefined : this.#headers;
    const { sent, sentBytes } = this.#links.sendCopies(transport, headers, kept, count);
    this.#countInterleaved(record, count, sent, sentBytes);
  }

  #countInterleaved(record: number, wanted: number, sent: number, bytes: number): void {
    const records = this.#records;
    records.add(record, LegNumber.sentDatagrams, sent);
    records.add(record, LegNumber.sentBytes, bytes);
    records.add(record, LegNumber.sentPackets, sent);
    records.add(record, LegNumber.sentOctets, bytes - sent * RTP_HEADER_BYTES);
    if (sent < wanted) records.add(record, LegDrop.backPressure, wanted - sent);
  }
}
