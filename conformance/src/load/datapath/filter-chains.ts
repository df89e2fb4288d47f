// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { RelayFilter } from "./relay-bootstrap.ts";
import { isolated, rtpStats } from "./relays.ts";

/** Statistics, and a filter that writes to the header of each datagram. */
export async function headerChain(): Promise<readonly RelayFilter[]> {
  return [rtpStats, await isolated("examples/as", "shift-ssrc")];
}

/** Statistics, and three filters: two write to headers, the one between them to the whole of each payload. */
export async function payloadChain(): Promise<readonly RelayFilter[]> {
  const shift = await isolated("examples/as", "shift-ssrc");
  return [
    rtpStats,
    shift,
    await isolated("sdk/testdata/xor-payload", "xor-payload"),
    { ...shift, name: "shift-again" },
  ];
}
