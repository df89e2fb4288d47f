// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Stream } from "./stream";

const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;

/** Bits of the fraction of a timestamp unit. With 36, clocks of 1 MHz and gaps of half a minute fit 64 bits. */
const FRACTION_BITS: u64 = 36;
const FRACTION_MASK: u64 = (1 << FRACTION_BITS) - 1;

/** A longer silence tells nothing of the network: the measurement begins anew behind it. */
const MAX_GAP_NS: i64 = 30_000_000_000;

/** The fastest clock that `setClockRate` takes, in Hz. */
export const MAX_CLOCK_RATE: u32 = 1_000_000;

/** Sets the RTP clock; 0 where it is not known. A change begins the measurement anew. */
export function setClockRate(stream: Stream, clockRate: u32): void {
  if (stream.clockRate == clockRate) return;
  stream.clockRate = clockRate;
  stream.unitsPerNs = ((<u64>clockRate) << FRACTION_BITS) / NANOSECONDS_PER_SECOND;
  stream.jitter = 0;
  stream.arrivedNs = 0;
}

/**
 * Follows the interarrival jitter of RFC 3550 A.8, in timestamp units and integers as there. The arrival clock
 * advances by the time since the packet before; the fraction carries over, so that rounding does not add up.
 */
export function followJitter(stream: Stream, arrivedNs: u64, timestamp: u32): void {
  const elapsedNs = <i64>(arrivedNs - stream.arrivedNs);
  if (stream.arrivedNs != 0 && elapsedNs < MAX_GAP_NS && elapsedNs > -MAX_GAP_NS) {
    const units = elapsedNs * <i64>stream.unitsPerNs + <i64>stream.fraction;
    stream.fraction = <u64>units & FRACTION_MASK;
    const difference = (units >> <i64>FRACTION_BITS) - <i64>(<i32>(timestamp - stream.timestamp));
    const distance = difference < 0 ? -difference : difference;
    stream.jitter += distance - ((stream.jitter + 8) >> 4);
  }
  stream.arrivedNs = arrivedNs;
  stream.timestamp = timestamp;
}

/** The jitter in nanoseconds; 0 where the clock is not known. */
export function jitterNs(stream: Stream): u64 {
  return unitsToNs(<f64>stream.jitter / 16, stream.clockRate);
}

/** Timestamp units of a clock as nanoseconds; 0 where the clock is not known. */
export function unitsToNs(units: f64, clockRate: u32): u64 {
  return clockRate == 0 ? 0 : <u64>((units * <f64>NANOSECONDS_PER_SECOND) / <f64>clockRate);
}
