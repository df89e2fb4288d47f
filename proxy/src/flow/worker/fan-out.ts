// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Ring } from "../../datapath/ring.ts";
import { type CopySender, MOST_COPIED } from "../../io/copy-sender.ts";
import { LegDrop, LegNumber, type LegRecords, LegWord } from "../leg-records.ts";
import { type Rewriting, rewriteBatch } from "../rewrite.ts";
import { RtpBatch } from "../rtp-batch.ts";
import { RTP_HEADER_BYTES } from "../rtp-header.ts";
import { TrunkChannel, trunkConnection } from "../trunk.ts";
import type { ReceiverStage } from "./receiver-stage.ts";
import type { RingLinks } from "./ring-links.ts";
import type { RunningFlow, RunningLeg } from "./running-flow.ts";

/** Sends what a flow's chain let pass to the flow's receivers, each with its headers and counters. */
export class FanOut {
  /** The datagrams that are sent next. */
  readonly batch = new RtpBatch(MOST_COPIED);
  readonly #ring: Ring;
  readonly #records: LegRecords;
  readonly #copies: CopySender;
  readonly #links: RingLinks;
  readonly #stage: ReceiverStage;
  readonly #kept = new Uint32Array(MOST_COPIED);
  readonly #headers = new Uint8Array(MOST_COPIED * RTP_HEADER_BYTES);
  readonly #rewriting: Rewriting;

  constructor(ring: Ring, records: LegRecords, copies: CopySender, links: RingLinks, stage: ReceiverStage) {
    this.#stage = stage;
    this.#ring = ring;
    this.#records = records;
    this.#copies = copies;
    this.#links = links;
    this.#rewriting = {
      records,
      batch: this.batch,
      from: ring.bytes,
      source: -1,
      nowMs: 0,
      kept: this.#kept,
    };
  }

  /** Sends the batch to every receiver that is enabled, and empties it. */
  send(flow: RunningFlow, nowMs: number): void {
    const { receivers, active, origin } = flow;
    if (this.batch.count === 0 || active === undefined) return;
    this.#rewriting.source = origin;
    this.#rewriting.nowMs = nowMs;
    this.#copies.begin(this.batch);
    this.#links.begin(this.batch, this.#ring);
    if (flow.trunks.length > 0) this.#sendTrunks(flow);
    if (flow.receiverChain !== undefined) this.#sendFiltered(flow, nowMs);
    else for (const leg of receivers) this.#sendTo(leg);
    this.#copies.flush();
    this.batch.clear();
  }

  #sendTo(leg: RunningLeg): void {
    const { transport } = leg.plan;
    if (transport.kind !== "udp") this.#sendInterleaved(leg);
    else if (this.#records.addressLength(leg.record, LegWord.remote) > 0) this.#sendUdp(leg, transport.rtp);
    else this.#records.add(leg.record, LegDrop.inactive, this.batch.count);
  }

  /** Each receiver's copies, with its headers, go through its filters before they leave. */
  #sendFiltered({ receivers }: RunningFlow, nowMs: number): void {
    const { batch } = this;
    const kept = this.#kept;
    const ring = this.#ring;
    for (const leg of receivers) {
      const { task } = leg;
      const headers = task === undefined ? undefined : this.#headers;
      const count = task === undefined ? batch.count : rewriteBatch(task, this.#rewriting, this.#headers, 0);
      for (let i = 0; i < count; i++) {
        const at = task === undefined ? i : kept[i]!;
        const header = i * RTP_HEADER_BYTES;
        this.#stage.addMedia(leg, ring, batch.offset[at]!, batch.length[at]!, headers, header, nowMs);
      }
    }
    this.#stage.flush(nowMs);
  }

  /** One copy to each other worker that serves receivers of the flow; at once, for it sends while this one does. */
  #sendTrunks({ trunks, origin }: RunningFlow): void {
    const { batch } = this;
    for (const { record, plan } of trunks) {
      if (plan.transport.kind !== "trunk") continue;
      const { attachment, flow } = plan.transport;
      const connection = trunkConnection(flow, origin);
      const { media } = TrunkChannel;
      const { sent, sentBytes } = this.#links.sendCopies(
        attachment,
        connection,
        media,
        undefined,
        this.#kept,
        0,
      );
      this.#countInterleaved(record, batch.count, sent, sentBytes);
    }
    this.#links.flush();
  }

  #sendUdp({ record, task }: RunningLeg, socket: number): void {
    const copies = this.#copies;
    if (task === undefined) {
      copies.addPlain(record, socket);
      return;
    }
    const to = copies.reserveHeaders(this.batch.count);
    const count = rewriteBatch(task, this.#rewriting, copies.headers, to);
    if (count > 0) copies.addRewritten(record, socket, this.#kept, count, to);
  }

  #sendInterleaved({ record, task, plan: { transport } }: RunningLeg): void {
    if (transport.kind !== "interleaved") return;
    const { batch } = this;
    const kept = this.#kept;
    const count = task === undefined ? batch.count : rewriteBatch(task, this.#rewriting, this.#headers, 0);
    const headers = task === undefined ? undefined : this.#headers;
    const { attachment, connection, rtpChannel } = transport;
    const { sent, sentBytes } = this.#links.sendCopies(
      attachment,
      connection,
      rtpChannel,
      headers,
      kept,
      count,
    );
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
