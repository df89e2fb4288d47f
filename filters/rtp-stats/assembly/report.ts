// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { reportStream, StreamFlag, StreamInfo } from "@msm/filter-sdk/assembly";
import { jitterNs, unitsToNs } from "./jitter";
import { lostPackets } from "./sequence";
import { Stream } from "./stream";
import { streamAt, tableSize } from "./stream-table";

const STREAM_INFO_BYTES: u32 = offsetof<StreamInfo>();

const info = changetype<StreamInfo>(memory.data(96, 8));

/** Reports every stream that has something to tell: packets, or what the far end says of them. */
export function reportStreams(): void {
  for (let i: u32 = 0; i < tableSize(); i++) {
    const stream = streamAt(i);
    if (stream.key == 0 || (!stream.hasRtp && !stream.hasFar)) continue;
    fill(stream);
    reportStream(stream.key >> 1, changetype<usize>(info), STREAM_INFO_BYTES);
  }
}

function fill(stream: Stream): void {
  info.structSize = STREAM_INFO_BYTES;
  info.flags = stream.key & 1 ? StreamFlag.UpstreamDirection : 0;
  if (stream.hasFar) info.flags |= StreamFlag.Far;
  if (stream.hasRoundTrip) info.flags |= StreamFlag.RoundTrip;
  info.ssrc = stream.ssrc;
  info.clockRate = stream.clockRate;
  info.payloadType = stream.payloadType;
  info.restarts = stream.restarts;
  info.packets = stream.packets;
  info.bytes = stream.bytes;
  info.lost = stream.hasRtp ? lostPackets(stream) : 0;
  info.reordered = stream.reordered;
  info.duplicated = stream.duplicated;
  info.jitterNs = jitterNs(stream);
  info.farFractionLost = stream.farFractionLost;
  info.farCumulativeLost = stream.farCumulativeLost;
  info.farJitterNs = unitsToNs(<f64>stream.farJitter, stream.clockRate);
  info.farRoundTripNs = stream.farRoundTripNs;
}
