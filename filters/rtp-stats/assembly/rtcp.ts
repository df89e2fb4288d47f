// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Datagram, loadU16, loadU32, RTCP_HEADER_BYTES, readDatagram } from "@msm/filter-sdk/assembly";
import { observeRoundTrip } from "./counters";
import { estimateClockRate } from "./estimate-clock-rate";
import { setClockRate } from "./jitter";
import { Stream } from "./stream";
import { findOrAdd } from "./stream-table";

// RFC 3550 section 12.1, and sizes of sections 6.4.1 and 6.4.2.
const SENDER_REPORT: u32 = 200;
const RECEIVER_REPORT: u32 = 201;
const SENDER_INFO_END: u32 = 28;
const REPORT_BLOCK_BYTES: u32 = 24;

/** The most of a compound packet that is looked at: what fits into a datagram on Ethernet. */
const COMPOUND_BYTES: u32 = 1472;
const compound = memory.data(COMPOUND_BYTES, 4);

/** Unit of the delay since the last sender report: 1/65536 s (RFC 3550 section 6.4.1). */
const DLSR_BITS: u64 = 16;
const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;

/**
 * Reads the sender and receiver reports of the compound packet that is datagram `index` of its batch: `now` is the
 * time for the stream table. Stops at the first thing that is no RTCP.
 */
export function readCompound(datagram: Datagram, index: u32, now: u32): void {
  const size = min(<u32>datagram.len, COMPOUND_BYTES);
  if (!readDatagram(index, 0, compound, size)) return;
  let at = compound;
  const end = at + <usize>size;
  while (at + RTCP_HEADER_BYTES <= end && load<u8>(at) >> 6 == 2) {
    const type = <u32>load<u8>(at, 1);
    const next = at + ((<usize>loadU16(at + 2) + 1) << 2);
    const limit = min(next, end);
    const blocks = <u32>load<u8>(at) & 31;
    if (type == SENDER_REPORT && at + SENDER_INFO_END <= limit) {
      noteSenderReport(datagram, at, now);
      readBlocks(datagram, at + SENDER_INFO_END, limit, blocks, now);
    } else if (type == RECEIVER_REPORT) {
      readBlocks(datagram, at + RTCP_HEADER_BYTES, limit, blocks, now);
    }
    at = next;
  }
}

/** Remembers a sender report until a receiver answers it. */
function noteSenderReport(datagram: Datagram, at: usize, now: u32): void {
  const stream = findOrAdd((datagram.session << 1) | datagram.direction, loadU32(at + 4), now);
  const ntp = ((<u64>loadU32(at + 8)) << 32) | <u64>loadU32(at + 12);
  const timestamp = loadU32(at + 16);
  if (!stream.hasRtp && stream.reportNtp != 0 && stream.clockRate == 0) {
    setClockRate(stream, estimateClockRate(ntp - stream.reportNtp, timestamp - stream.reportTimestamp));
  }
  stream.olderReportId = stream.reportId;
  stream.olderReportNs = stream.reportNs;
  stream.reportId = <u32>(ntp >> 16);
  stream.reportNs = datagram.rxNs;
  stream.reportNtp = ntp;
  stream.reportTimestamp = timestamp;
}

function readBlocks(datagram: Datagram, from: usize, limit: usize, blocks: u32, now: u32): void {
  // The stream that a block is about flows against the report.
  const key = (datagram.session << 1) | (datagram.direction ^ 1);
  let at = from;
  for (let i: u32 = 0; i < blocks && at + REPORT_BLOCK_BYTES <= limit; i++) {
    noteBlock(findOrAdd(key, loadU32(at), now), at, datagram.rxNs);
    at += REPORT_BLOCK_BYTES;
  }
}

function noteBlock(stream: Stream, at: usize, arrivedNs: u64): void {
  stream.hasFar = true;
  stream.farFractionLost = <u32>load<u8>(at, 4);
  // Twenty-four bits with a sign.
  stream.farCumulativeLost = <i32>(loadU32(at + 4) << 8) >> 8;
  stream.farJitter = loadU32(at + 12);
  const reportId = loadU32(at + 16);
  if (reportId == 0) return;
  let sentNs: u64 = 0;
  if (reportId == stream.reportId) sentNs = stream.reportNs;
  else if (reportId == stream.olderReportId) sentNs = stream.olderReportNs;
  if (sentNs == 0) return;
  const heldNs = (<u64>loadU32(at + 20) * NANOSECONDS_PER_SECOND) >> DLSR_BITS;
  const elapsedNs = <i64>(arrivedNs - sentNs);
  // Less than nothing is a wrong delay, or a clock that was set back: it says nothing.
  if (elapsedNs < <i64>heldNs) return;
  stream.farRoundTripNs = <u64>elapsedNs - heldNs;
  stream.hasRoundTrip = true;
  observeRoundTrip(stream.farRoundTripNs);
}
