// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { DESCRIPTOR_WORDS, Word } from "../../datapath/batch.ts";
import { type Ring, SLOTS } from "../../datapath/ring.ts";
import { LegDrop, LegFlag, LegNumber, type LegRecords } from "../leg-records.ts";
import { isRtcp, isRtp, read32 } from "../rtp-header.ts";
import { TrunkChannel } from "../trunk.ts";
import type { WorkerFlowEvent } from "../worker-flow.ts";
import type { RtcpRelay } from "./flow-rtcp.ts";
import type { FlowTable } from "./flow-table.ts";
import type { FlowTimers } from "./flow-timers.ts";
import { type Arrival, acceptArrival } from "./latch.ts";
import type { ReceiverStage } from "./receiver-stage.ts";
import type { RunningLeg, RunningSocket } from "./running-flow.ts";

/** What may be in a slot: bits for RTP and RTCP. */
export const Kind = { raw: 0, rtp: 1, rtcp: 2, mux: 3 } as const;

/** What arrivals are judged with. */
export interface ArrivalParts {
  readonly ring: Ring;
  readonly legs: LegRecords;
  readonly table: FlowTable;
  readonly rtcp: RtcpRelay;
  readonly timers: FlowTimers;
  readonly stage: ReceiverStage;
  readonly onFlowEvent: (event: WorkerFlowEvent) => void;
}

/** Says whose datagrams are in the slots of the ring, takes in what receivers say, and lets a source's go on. */
export class Arrivals {
  /** By slot, where what is in it goes on: the leg that it is of, and its kind. */
  readonly legOf: (RunningLeg | undefined)[] = new Array(SLOTS).fill(undefined);
  readonly kindOf = new Uint8Array(SLOTS);
  readonly #parts: ArrivalParts;
  readonly #ring: Ring;
  readonly #records: LegRecords;
  readonly #arrival: Arrival;

  constructor(parts: ArrivalParts) {
    this.#parts = parts;
    this.#ring = parts.ring;
    this.#records = parts.legs;
    const { words, bytes } = parts.ring;
    this.#arrival = { words, bytes, name: 0, ssrc: -1, isOnRtcpPort: false, datagrams: 0 };
  }

  /** The same for a packet that came in a connection or over a trunk, whose leg is known. */
  fromChannel(slot: number, leg: RunningLeg, channel: number, nowMs: number): boolean {
    const isTrunk = leg.plan.transport.kind === "trunk";
    const kind = isTrunk ? this.#trunkKind(slot, channel) : channelKind(leg, channel);
    return this.#take(slot, leg, kind, false, nowMs);
  }

  /** Finds out whose datagrams of a media socket are in a slot. Returns whether they go on. */
  fromSocket(slot: number, socket: RunningSocket, nowMs: number): boolean {
    const ring = this.#ring;
    const name = ring.name(slot);
    const leg = socket.only ?? socket.byAddress.find(ring.words, name >> 2);
    const datagrams = ring.descriptorCount[slot]!;
    if (leg === undefined) {
      for (const any of socket.legs) {
        this.#records.add(any.record, LegDrop.stranger, datagrams);
        break;
      }
      return false;
    }
    const kind = Kind[socket.use];
    const at = ring.payload(slot);
    const length = ring.slotLength[slot]!;
    const isControl = (kind & Kind.rtcp) !== 0 && isRtcp(ring.bytes, at, length);
    if (kind !== Kind.raw && !isControl && (kind === Kind.rtcp || !isRtp(ring.bytes, at, length))) {
      this.#records.add(leg.record, LegDrop.unexpected, datagrams);
      return false;
    }
    const arrival = this.#arrival;
    arrival.name = name;
    arrival.ssrc = kind === Kind.raw ? -1 : read32(ring.bytes, at + (isControl ? 4 : 8));
    arrival.isOnRtcpPort = kind === Kind.rtcp;
    arrival.datagrams = datagrams;
    const latched = acceptArrival(leg, this.#records, arrival, nowMs);
    if (latched === "stranger") return false;
    if (latched === "learnt") this.#parts.table.moved(leg);
    const local = ring.localWord(slot);
    if (local >= 0) this.#records.setLocal(leg.record, ring.words, local);
    return this.#take(slot, leg, kind, latched === "learnt", nowMs);
  }

  /** Over a trunk comes what the flow lets pass, RTP or not. */
  #trunkKind(slot: number, channel: number): number {
    if (channel === TrunkChannel.rtcp) return Kind.rtcp;
    const { bytes, slotLength } = this.#ring;
    return isRtp(bytes, this.#ring.payload(slot), slotLength[slot]!) ? Kind.rtp : Kind.raw;
  }

  /** Counts what came from a leg, tells of the first, and says whether it goes on. */
  #take(slot: number, leg: RunningLeg, kind: number, isNews: boolean, nowMs: number): boolean {
    const ring = this.#ring;
    const { record, flow, plan } = leg;
    const datagrams = ring.descriptorCount[slot]!;
    this.#records.add(record, LegNumber.receivedDatagrams, datagrams);
    this.#records.add(record, LegNumber.receivedBytes, ring.slotLength[slot]!);
    flow.lastHeardMs = nowMs;
    if (flow.isIdle) this.#parts.timers.notBefore(nowMs + flow.idleMs);
    flow.isIdle = false;
    if (isNews || !this.#records.has(record, LegFlag.Heard)) {
      this.#records.setFlag(record, LegFlag.Heard);
      this.#parts.onFlowEvent({ flow: flow.number, kind: "FIRST_PACKET", leg: record });
    }
    this.legOf[slot] = leg;
    this.kindOf[slot] = kind;
    if (plan.role === "receiver") {
      this.#takeFromReceiver(slot, leg, kind, nowMs);
      return false;
    }
    if (plan.isEnabled && leg === flow.active) return true;
    this.#records.add(record, LegDrop.inactive, datagrams);
    return false;
  }

  /** A receiver says only how it receives. */
  #takeFromReceiver(slot: number, leg: RunningLeg, kind: number, nowMs: number): void {
    const ring = this.#ring;
    let at = ring.payload(slot);
    let length = ring.slotSegment[slot]!;
    if (leg.flow.receiverChain !== undefined) {
      if (!this.#parts.stage.fromReceiver(leg, ring, slot, nowMs)) return;
      const word = (ring.descriptors >> 2) + ring.firstDescriptor[slot]! * DESCRIPTOR_WORDS;
      at = ring.words[word + Word.data]!;
      length = ring.words[word + Word.length]! & 0xffff;
    }
    const isControl = (kind & Kind.rtcp) !== 0 && isRtcp(ring.bytes, at, length);
    if (!isControl || !this.#parts.rtcp.onReceiver(leg, ring.bytes, at, length, nowMs))
      this.#records.add(leg.record, LegDrop.unexpected, ring.descriptorCount[slot]!);
    this.#parts.timers.notBefore(this.#parts.rtcp.dueMs(leg.flow));
  }
}

/** What comes on a channel of a connection: without a channel of its own, RTCP comes among RTP (RFC 5761). */
function channelKind({ plan: { transport } }: RunningLeg, channel: number): number {
  if (transport.kind !== "interleaved" || transport.rtcpChannel === undefined) return Kind.mux;
  return transport.rtcpChannel === channel ? Kind.rtcp : Kind.rtp;
}
