// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { CopySender } from "../../io/copy-sender.ts";
import type { MemoryViews } from "../../wasm/copy-bytes.ts";
import { LegFlag, LegNumber, type LegRecords, LegWord, RECORD_WORDS } from "../leg-records.ts";
import { FeedbackWindow, PICTURE_WINDOW_MS } from "../rtcp/feedback-window.ts";
import { ReceiverReports } from "../rtcp/receiver-reports.ts";
import { Reception, type ReportBlock } from "../rtcp/reception.ts";
import { Feedback, RtcpCursor, RtcpType } from "../rtcp/rtcp-cursor.ts";
import { rtcpIntervalMs } from "../rtcp/rtcp-interval.ts";
import { RtcpWriter } from "../rtcp/rtcp-writer.ts";
import { type StreamMapping, translateSenderRtcp } from "../rtcp/translate-sender-rtcp.ts";
import { isRtcp, read16, read32 } from "../rtp-header.ts";
import { TrunkChannel, trunkConnection } from "../trunk.ts";
import type { ReceiverStage } from "./receiver-stage.ts";
import type { RingLinks } from "./ring-links.ts";
import type { RunningFlow, RunningLeg } from "./running-flow.ts";

/** Entries of a NACK that are looked at, each for 17 packets: whoever lost more is not helped by asking. */
const MOST_NACKS = 64;
/** A source that reports does so by now: the longest least interval of RFC 3550 section 6.2 is 6.2 s. */
const REPORTS_BY_MS = 6_500;
/** A branch gathers what its receivers say for so long; the flow waits as RTCP has it. */
const BRANCH_INTERVAL_MS = 200;
/** A stream that paused for longer gets no reports (RFC 3550 section 6.4: two intervals). */
const PAUSE_MS = 10_000;

/** What a flow knows for RTCP. It ends with the worker: the next report begins anew. */
export class FlowRtcp {
  readonly reception = new Reception();
  readonly reports = new ReceiverReports();
  readonly feedback = new FeedbackWindow();
  readonly writer: RtcpWriter;
  /** When the next report is due; Infinity while nothing comes. */
  dueMs = Number.POSITIVE_INFINITY;
  isFirst = true;

  /** `ssrc` and `cname` are those that this proxy has towards the source. */
  constructor(ssrc: number, cname: string) {
    this.writer = new RtcpWriter(ssrc, cname);
  }
}

/** The RTCP of a worker's flows: the source's down to each receiver, the receivers' up to the source as one. */
export class RtcpRelay {
  readonly #records: LegRecords;
  readonly #copies: CopySender;
  readonly #links: RingLinks;
  readonly #stage: ReceiverStage;
  readonly #random: () => number;
  readonly #wallMs: () => number;
  readonly #cursor = new RtcpCursor();
  readonly #scratch: MemoryViews;
  readonly #block: ReportBlock = {
    fractionLost: 0,
    cumulativeLost: 0,
    highestSequence: 0,
    jitter: 0,
    lsr: 0,
    dlsr: 0,
  };
  readonly #mapping: StreamMapping = {
    ssrcIn: 0,
    ssrcOut: 0,
    timestampOffset: 0,
    packets: 0,
    octets: 0,
    passesBye: true,
  };

  /** `wallMs` is the clock by which datagrams came, milliseconds since 1970. */
  constructor(
    records: LegRecords,
    copies: CopySender,
    links: RingLinks,
    stage: ReceiverStage,
    random: () => number,
    wallMs: () => number,
  ) {
    this.#records = records;
    this.#copies = copies;
    this.#links = links;
    this.#stage = stage;
    this.#random = random;
    this.#wallMs = wallMs;
    const words = new Uint32Array(0x1_0000 / 4);
    this.#scratch = { words, bytes: new Uint8Array(words.buffer) };
  }

  /** When the flow has something to send by itself; Infinity where it has not. */
  dueMs({ rtcp }: RunningFlow): number {
    // Nobody can be asked for pictures of a stream that did not begin.
    return rtcp.reception.ssrc < 0 ? rtcp.dueMs : Math.min(rtcp.dueMs, rtcp.feedback.dueMs);
  }

  /** Media of the active source came. */
  onMedia(flow: RunningFlow, nowMs: number): void {
    const { rtcp } = flow;
    if (rtcp.dueMs === Number.POSITIVE_INFINITY && !flow.isBranch)
      rtcp.dueMs = nowMs + rtcpIntervalMs(this.#random(), rtcp.isFirst);
  }

  /** A compound of the active source came, and passed the chain. Returns false where it is malformed. */
  onSource(flow: RunningFlow, from: MemoryViews, offset: number, length: number, nowMs: number): boolean {
    const cursor = this.#cursor;
    if (!cursor.reset(from.bytes, offset, length)) return false;
    while (cursor.next()) {
      if (cursor.type === RtcpType.SR && cursor.length >= 28)
        flow.rtcp.reception.onSenderReport(read32(from.bytes, cursor.start + 10), nowMs);
    }
    for (const trunk of flow.trunks) this.#send(trunk, from, offset, length);
    for (const leg of flow.receivers) {
      if (leg.task === undefined) {
        this.#sendDown(leg, from, offset, length, nowMs);
        continue;
      }
      if (!this.#map(leg, flow)) continue;
      cursor.reset(from.bytes, offset, length);
      const translated = translateSenderRtcp(cursor, from.bytes, this.#mapping, this.#scratch.bytes);
      if (translated > 0) this.#sendDown(leg, this.#scratch, 0, translated, nowMs);
    }
    this.#stage.flush(nowMs);
    return true;
  }

  /** A compound of a receiver came. Returns false where it is malformed. */
  onReceiver(leg: RunningLeg, bytes: Uint8Array, offset: number, length: number, nowMs: number): boolean {
    const cursor = this.#cursor;
    if (!cursor.reset(bytes, offset, length)) return false;
    const { flow } = leg;
    const { rtcp } = flow;
    while (cursor.next()) {
      const { type, start, count } = cursor;
      if (type === RtcpType.SR) this.#readBlocks(leg, bytes, start + 28, nowMs);
      else if (type === RtcpType.RR) this.#readBlocks(leg, bytes, start + 8, nowMs);
      else if (type === RtcpType.PSFB && (count === Feedback.PLI || count === Feedback.FIR))
        rtcp.feedback.wantPicture();
      else if (type === RtcpType.RTPFB && count === Feedback.NACK) this.#passNack(leg, bytes, nowMs);
    }
    if (rtcp.dueMs === Number.POSITIVE_INFINITY && rtcp.reports.fresh > 0)
      rtcp.dueMs = nowMs + this.#intervalMs(flow, rtcp.isFirst);
    this.askPicture(flow, nowMs);
    return true;
  }

  /** Asks the source for a whole picture where a receiver wants one and the window allows. */
  askPicture(flow: RunningFlow, nowMs: number): void {
    const { rtcp } = flow;
    if (flow.active === undefined || rtcp.reception.ssrc < 0) return;
    // The flow itself has the window, for all of its branches.
    if (!rtcp.feedback.takePicture(nowMs, flow.isBranch ? 0 : PICTURE_WINDOW_MS)) return;
    rtcp.writer.begin(0, undefined);
    rtcp.writer.addPli(rtcp.reception.ssrc);
    this.sendUp(flow);
  }

  /**
   * Writes the report that is due into the flow's writer: what the receivers said, or where none says anything what
   * arrived here. Returns false where nothing came since the last: then there is nothing to tell until something comes.
   */
  writeReport(flow: RunningFlow, nowMs: number): boolean {
    const { rtcp } = flow;
    const { reception, reports, writer } = rtcp;
    rtcp.dueMs = Number.POSITIVE_INFINITY;
    // A branch speaks for its receivers alone: what arrives here arrived where the flow is.
    const isAny = reports.fresh > 0 || (reception.fresh > 0 && !flow.isBranch);
    if (reception.ssrc < 0 || !isAny) return false;
    rtcp.isFirst = false;
    rtcp.dueMs = nowMs + this.#intervalMs(flow, false);
    const isReported = reports.fresh > 0;
    reception.report(nowMs, this.#block);
    if (isReported) reports.take(nowMs, this.#block);
    writer.begin(reception.ssrc, this.#block);
    return true;
  }

  #intervalMs({ isBranch }: RunningFlow, isFirst: boolean): number {
    return isBranch ? BRANCH_INTERVAL_MS : rtcpIntervalMs(this.#random(), isFirst);
  }

  /**
   * Tells every receiver when its stream's timestamps are, where the source does not: players need it to keep picture
   * and sound together. Only where the clock rate is known.
   */
  reportDown(flow: RunningFlow, nowMs: number): void {
    const { reception, writer } = flow.rtcp;
    const clockRate = flow.active?.plan.clockRate ?? 0;
    if (clockRate === 0 || reception.ssrc < 0 || reception.isReported) return;
    const wallMs = this.#wallMs();
    if (wallMs - reception.begunMs < REPORTS_BY_MS || wallMs - reception.latestMs > PAUSE_MS) return;
    const timestamp = reception.timestampAt(wallMs, clockRate);
    for (const leg of [...flow.trunks, ...flow.receivers]) {
      if (!this.#map(leg, flow)) continue;
      const { ssrcOut, timestampOffset, packets, octets } = this.#mapping;
      if (packets === 0) continue;
      writer.beginSender(ssrcOut, wallMs, timestamp + timestampOffset, packets, octets);
      this.#sendDown(leg, writer, 0, writer.length, nowMs);
    }
    this.#stage.flush(nowMs);
  }

  /** Sends what the flow's writer holds to the source. */
  sendUp({ active, rtcp: { writer } }: RunningFlow): void {
    if (active) this.#send(active, writer, 0, writer.length);
  }

  /** Sends what a filter has for the source: RTCP to where the source has that, all else to where its media come from. */
  sendToSource(leg: RunningLeg, from: MemoryViews, start: number, length: number): void {
    if (this.#takesRtcp(leg) && isRtcp(from.bytes, start, length)) this.#send(leg, from, start, length);
    else this.#sendMedia(leg, from, start, length);
  }

  #takesRtcp({ record, plan: { transport } }: RunningLeg): boolean {
    if (transport.kind === "interleaved") return transport.rtcpChannel !== undefined;
    if (transport.kind === "trunk") return true;
    return transport.rtcp >= 0 && this.#records.addressLength(record, LegWord.remoteRtcp) > 0;
  }

  #sendMedia(
    { record, plan: { transport } }: RunningLeg,
    from: MemoryViews,
    start: number,
    length: number,
  ): void {
    if (transport.kind === "udp") {
      if (this.#records.addressLength(record, LegWord.remote) > 0)
        this.#copies.addPacket(record, LegWord.remote, transport.rtp, from.bytes, start, length);
      return;
    }
    // Filters run where the flow is, not at its branches.
    if (transport.kind === "trunk") return;
    const { attachment, connection, rtpChannel } = transport;
    this.#links.send(attachment, connection, rtpChannel, from, start, length);
  }

  /** What goes to a receiver passes its filters, where it has any; `flush` of the stage sends it then. */
  #sendDown(leg: RunningLeg, from: MemoryViews, start: number, length: number, nowMs: number): void {
    const isFiltered = leg.flow.receiverChain !== undefined && leg.plan.transport.kind !== "trunk";
    if (isFiltered) this.#stage.addControl(leg, from, start, length, nowMs);
    else this.#send(leg, from, start, length);
  }

  #send({ record, flow, plan }: RunningLeg, from: MemoryViews, start: number, length: number): void {
    const { transport } = plan;
    if (transport.kind === "trunk") {
      const connection = trunkConnection(transport.flow, Math.max(flow.origin, 0));
      this.#links.send(transport.attachment, connection, TrunkChannel.rtcp, from, start, length);
      return;
    }
    if (transport.kind === "udp") {
      if (transport.rtcp >= 0 && this.#records.addressLength(record, LegWord.remoteRtcp) > 0)
        this.#copies.addPacket(record, LegWord.remoteRtcp, transport.rtcp, from.bytes, start, length);
      return;
    }
    const { attachment, connection, rtcpChannel } = transport;
    if (rtcpChannel === undefined) return;
    if (!this.#links.send(attachment, connection, rtcpChannel, from, start, length)) return;
    this.#records.add(record, LegNumber.sentDatagrams, 1);
    this.#records.add(record, LegNumber.sentBytes, length);
  }

  /** How the receiver's stream is moved; false while it has none of this source. */
  #map({ record, task }: RunningLeg, { rtcp, origin, sourceCount }: RunningFlow): boolean {
    const mapping = this.#mapping;
    const records = this.#records;
    const at = record * RECORD_WORDS;
    const isContinuous = task?.plan.isContinuous ?? false;
    const isSynced = records.has(record, LegFlag.Synced) && records.words[at + LegWord.source] === origin;
    if (isContinuous && !isSynced) return false;
    mapping.ssrcIn = isContinuous ? records.words[at + LegWord.ssrcIn]! >>> 0 : rtcp.reception.ssrc;
    mapping.ssrcOut = task?.plan.ssrc ?? mapping.ssrcIn;
    mapping.timestampOffset = isContinuous ? records.words[at + LegWord.timestampOffset]! : 0;
    mapping.packets = records.number(record, LegNumber.sentPackets);
    mapping.octets = records.number(record, LegNumber.sentOctets);
    mapping.passesBye = sourceCount === 1;
    return mapping.ssrcIn >= 0;
  }

  #readBlocks(leg: RunningLeg, bytes: Uint8Array, first: number, nowMs: number): void {
    const { count, start, length } = this.#cursor;
    const { rtcp } = leg.flow;
    for (let i = 0, at = first; i < count && at + 24 <= start + length; i++, at += 24) {
      if (read32(bytes, at) !== this.#ssrcAt(leg)) continue;
      const block = this.#block;
      const loss = read32(bytes, at + 4);
      block.fractionLost = loss >>> 24;
      block.cumulativeLost = (loss << 8) >> 8;
      block.highestSequence = this.#sourceSequence(leg, read32(bytes, at + 8));
      block.jitter = read32(bytes, at + 12);
      block.lsr = read32(bytes, at + 16);
      block.dlsr = read32(bytes, at + 20);
      rtcp.reports.add(block, nowMs);
    }
  }

  /** The SSRC by which the receiver knows the stream. */
  #ssrcAt({ task, flow }: RunningLeg): number {
    return task?.plan.ssrc ?? flow.rtcp.reception.ssrc;
  }

  /** A receiver's extended sequence number as the source knows it: the nearest that is not ahead of what came here. */
  #sourceSequence({ record, task, flow }: RunningLeg, extended: number): number {
    if (task === undefined || !task.plan.isContinuous) return extended;
    const { highestSequence } = flow.rtcp.reception;
    const offset = this.#records.words[record * RECORD_WORDS + LegWord.seqOffset]!;
    const behind = (highestSequence - (extended - offset)) & 0xffff;
    return Math.max(0, highestSequence - behind);
  }

  /** RFC 4585 section 6.2.1; in the source's numbers, and without what was asked for just now. */
  #passNack(leg: RunningLeg, bytes: Uint8Array, nowMs: number): void {
    const { start, length } = this.#cursor;
    const { flow } = leg;
    const { feedback, writer, reception } = flow.rtcp;
    const isSynced = this.#records.has(leg.record, LegFlag.Synced);
    if (leg.task?.plan.isContinuous && !isSynced) return;
    if (length < 16 || reception.ssrc < 0 || read32(bytes, start + 8) !== this.#ssrcAt(leg)) return;
    const offset = leg.task?.plan.isContinuous
      ? this.#records.words[leg.record * RECORD_WORDS + LegWord.seqOffset]!
      : 0;
    writer.begin(0, undefined);
    const nack = writer.beginNack(reception.ssrc);
    const empty = writer.length;
    const end = start + Math.min(length, 12 + 4 * MOST_NACKS);
    for (let at = start + 12; at + 4 <= end; at += 4) {
      const seq = (read16(bytes, at) - offset) & 0xffff;
      const following = read16(bytes, at + 2);
      for (let i = -1; i < 16; i++) {
        if (i >= 0 && (following & (1 << i)) === 0) continue;
        const lost = (seq + i + 1) & 0xffff;
        if (feedback.takeNack(lost, nowMs)) writer.addLost(nack, lost, 0);
      }
    }
    if (writer.length > empty) this.sendUp(flow);
  }
}
