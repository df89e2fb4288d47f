// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readSockaddr, SOCKADDR_BYTES } from "../../datapath/sockaddr.ts";
import { LegDrop, LegFlag, LegNumber, type LegRecords, LegWord, RECORD_WORDS } from "../leg-records.ts";
import type { WorkerUdp } from "../worker-flow.ts";
import { isSameAddress, isSameHost } from "./address-map.ts";
import type { RunningLeg } from "./running-flow.ts";

/** A far end that was heard so lately is not moved, whoever knows its SSRC: one that changed its address falls silent at the old one. */
const QUIET_MS = 1_000;

/** A datagram, or a run of them, of which it has to be said whether it is the far end's. Used again for the next. */
export interface Arrival {
  /** Where its source address stands. */
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
  name: number;
  /** SSRC of its sender, or -1 where it has none. */
  ssrc: number;
  /** Whether it is RTCP on a port of its own. */
  isOnRtcpPort: boolean;
  datagrams: number;
}

/** What became of an arrival. */
export type Latched = "stranger" | "known" | "learnt";

/**
 * Says whether a datagram comes from the far end of a UDP leg, and learns its address where the leg may: once, or again
 * when the same SSRC comes from elsewhere after silence. Whoever comes later, from another address than `latch_from`, or
 * with RTCP from another host than the media, is a stranger and counted.
 */
export function acceptArrival(
  leg: RunningLeg,
  records: LegRecords,
  arrival: Arrival,
  nowMs: number,
): Latched {
  const { record } = leg;
  const field = arrival.isOnRtcpPort ? LegWord.remoteRtcp : LegWord.remote;
  const flag = arrival.isOnRtcpPort ? LegFlag.LatchedRtcp : LegFlag.Latched;
  const udp = leg.plan.transport as WorkerUdp;
  const name = arrival.name >> 2;
  const isSame =
    records.addressLength(record, field) > 0 &&
    isSameAddress(records.words, record * RECORD_WORDS + field, arrival.words, name);
  if (isSame) {
    if (udp.latch !== "NONE" && !records.has(record, flag)) learnSsrc(records, record, flag, arrival.ssrc);
    if (!arrival.isOnRtcpPort) records.setNumber(record, LegNumber.lastHeardMs, nowMs);
    return "known";
  }
  if (!mayLearn(leg, udp, records, arrival, flag, nowMs)) {
    records.add(record, LegDrop.stranger, arrival.datagrams);
    return "stranger";
  }
  learn(udp, records, record, field, arrival);
  learnSsrc(records, record, flag, arrival.ssrc);
  if (!arrival.isOnRtcpPort) records.setNumber(record, LegNumber.lastHeardMs, nowMs);
  return "learnt";
}

function mayLearn(
  { record, latchFrom }: RunningLeg,
  { latch }: WorkerUdp,
  records: LegRecords,
  arrival: Arrival,
  flag: number,
  nowMs: number,
): boolean {
  if (latch === "NONE") return false;
  const name = arrival.name >> 2;
  if (latchFrom !== undefined && !isSameHost(latchFrom, 0, arrival.words, name)) return false;
  if (arrival.isOnRtcpPort && records.has(record, LegFlag.Latched)) {
    const isSameFarEnd = isSameHost(
      records.words,
      record * RECORD_WORDS + LegWord.remote,
      arrival.words,
      name,
    );
    if (!isSameFarEnd) return false;
  }
  if (!records.has(record, flag)) return true;
  if (latch === "ONCE" || arrival.isOnRtcpPort) return false;
  const isSameSsrc = records.words[record * RECORD_WORDS + LegWord.latchedSsrc] === (arrival.ssrc | 0);
  return arrival.ssrc >= 0 && isSameSsrc && nowMs - records.number(record, LegNumber.lastHeardMs) >= QUIET_MS;
}

function learn(
  { rtp, rtcp }: WorkerUdp,
  records: LegRecords,
  record: number,
  field: number,
  { bytes, name }: Arrival,
): void {
  const address = readSockaddr(bytes.subarray(name, name + SOCKADDR_BYTES), 0);
  records.setAddress(record, field, address);
  if (field === LegWord.remoteRtcp || rtcp < 0) return;
  if (rtcp === rtp) records.setAddress(record, LegWord.remoteRtcp, address);
  else if (!records.has(record, LegFlag.LatchedRtcp) || records.has(record, LegFlag.Latched)) {
    // Until it is heard itself: the port above (RFC 3550 section 11). A far end that moved is heard anew.
    records.clearFlag(record, LegFlag.LatchedRtcp);
    const isPossible = address.port < 65_535;
    records.setAddress(
      record,
      LegWord.remoteRtcp,
      isPossible ? { ...address, port: address.port + 1 } : undefined,
    );
  }
}

function learnSsrc(records: LegRecords, record: number, flag: number, ssrc: number): void {
  records.setFlag(record, flag);
  if (flag === LegFlag.Latched) records.words[record * RECORD_WORDS + LegWord.latchedSsrc] = ssrc;
}
