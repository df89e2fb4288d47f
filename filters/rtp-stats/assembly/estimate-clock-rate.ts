// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** One second in the 32.32 format of NTP. */
const NTP_SECOND: u64 = 0x1_0000_0000;

/** Sender reports closer together than half a second tell the rate too roughly. */
const MIN_NTP: u64 = NTP_SECOND / 2;

/** And those further apart may have wrapped the timestamp. */
const MAX_NTP: u64 = NTP_SECOND * 600;

/** Clocks of real payload formats, which an estimate is rounded to. */
const knownRates: StaticArray<u32> = [
  8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 90000, 96000,
];

/** How far from a known rate an estimate may be: three in a hundred; the known ones are further apart. */
const TOLERANCE: f64 = 0.03;

/**
 * The RTP clock from two sender reports of one source, which pair NTP time and RTP timestamp; 0 where they do not
 * tell. RTCP on a port of its own carries no payload type to look the clock up by.
 */
export function estimateClockRate(ntpElapsed: u64, timestampElapsed: u32): u32 {
  if (ntpElapsed < MIN_NTP || ntpElapsed > MAX_NTP) return 0;
  const estimate = (<f64>timestampElapsed * <f64>NTP_SECOND) / <f64>ntpElapsed;
  for (let i = 0; i < knownRates.length; i++) {
    const rate = <f64>unchecked(knownRates[i]);
    if (Math.abs(estimate - rate) < rate * TOLERANCE) return <u32>rate;
  }
  return 0;
}
