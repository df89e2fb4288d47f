// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { LiveStream } from "../../datapath/datapath.ts";

/** A stream from the endpoint 10.0.0.1:5004 of which nothing is known but this. */
export function liveStream(changes: Partial<LiveStream>): LiveStream {
  return {
    ...{ session: 1, upstreamDirection: true, ssrc: 1, payloadType: 96, clockRateHz: 90_000 },
    ...{ packets: 0, bytes: 0, lost: 0, reordered: 0, duplicated: 0, restarts: 0, jitterMs: 0, far: null },
    ...{ listener: "rtp", filter: "rtp-stats", worker: 0, client: "192.0.2.1:4000" },
    endpoint: "10.0.0.1:5004",
    ...changes,
  };
}
