// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { StreamField, StreamFlag } from "./abi.ts";
import type { StreamReport } from "./stream-report.ts";

const NANOSECONDS_PER_MS = 1e6;

/** Fraction lost is a fixed-point number with the binary point at the left edge (RFC 3550 section 6.4.1). */
const FRACTION_SCALE = 256;

/** Reads an `msm_stream` at `address`. The caller has checked the bounds. */
export function readStream(view: DataView, address: number, session: number): StreamReport {
  const u32 = (offset: number) => view.getUint32(address + offset, true);
  const u64 = (offset: number) => Number(view.getBigUint64(address + offset, true));
  const flags = u32(StreamField.flags);
  return {
    session,
    upstreamDirection: (flags & StreamFlag.UpstreamDirection) !== 0,
    ssrc: u32(StreamField.ssrc),
    payloadType: u32(StreamField.payloadType) & 0x7f,
    clockRateHz: u32(StreamField.clockRate),
    packets: u64(StreamField.packets),
    bytes: u64(StreamField.bytes),
    lost: Number(view.getBigInt64(address + StreamField.lost, true)),
    reordered: u64(StreamField.reordered),
    duplicated: u64(StreamField.duplicated),
    restarts: u32(StreamField.restarts),
    jitterMs: u64(StreamField.jitterNs) / NANOSECONDS_PER_MS,
    far: (flags & StreamFlag.Far) === 0 ? null : readFar(view, address, flags),
  };
}

function readFar(view: DataView, address: number, flags: number): NonNullable<StreamReport["far"]> {
  const ms = (offset: number) => Number(view.getBigUint64(address + offset, true)) / NANOSECONDS_PER_MS;
  return {
    fractionLost: view.getUint32(address + StreamField.farFractionLost, true) / FRACTION_SCALE,
    cumulativeLost: view.getInt32(address + StreamField.farCumulativeLost, true),
    jitterMs: ms(StreamField.farJitterNs),
    roundTripMs: (flags & StreamFlag.RoundTrip) === 0 ? null : ms(StreamField.farRoundTripNs),
  };
}
