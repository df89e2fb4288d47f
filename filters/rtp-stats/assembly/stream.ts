// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** All that is kept of one (session, direction, SSRC). Times are nanoseconds of the kernel's wall clock. */
@unmanaged
export class Stream {
  /** Session context id and, in the lowest bit, the direction of the RTP. */
  key: u32;
  ssrc: u32;
  /** Monotonic time of the last datagram in units of 2^20 ns, for the choice of whom to forget. */
  seenAt: u32;
  clockRate: u32;

  // RFC 3550 A.1, in the names of its `source` structure.
  maxSeq: u32;
  cycles: u32;
  baseSeq: u32;
  badSeq: u32;
  received: u64;
  /** Bit i: the packet with sequence number `maxSeq - i` was received. */
  window: u64;
  windowHigh: u64;

  // RFC 3550 A.8. The arrival clock is kept as its fraction of a timestamp unit, times 2^36.
  unitsPerNs: u64;
  fraction: u64;
  arrivedNs: u64;
  timestamp: u32;
  payloadType: u8;
  hasRtp: bool;
  hasFar: bool;
  hasRoundTrip: bool;
  /** Sixteen times the jitter, in timestamp units. */
  jitter: i64;

  // Totals over the stream's life; `lostBefore` is the loss of the sequences before the last restart.
  packets: u64;
  bytes: u64;
  reordered: u64;
  duplicated: u64;
  lostBefore: i64;
  packetsAtTick: u64;
  restarts: u32;

  // What the far end said (RFC 3550 section 6.4.1).
  farFractionLost: u32;
  farCumulativeLost: i32;
  farJitter: u32;
  farRoundTripNs: u64;

  // The last two sender reports that passed: middle 32 bits of the NTP time, and when.
  reportId: u32;
  olderReportId: u32;
  reportNs: u64;
  olderReportNs: u64;
  reportNtp: u64;
  reportTimestamp: u32;
  padding: u32;
}
