// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { LiveStream } from "../datapath/datapath.ts";

const HEADINGS = [
  "LISTENER",
  "CLIENT",
  "",
  "ENDPOINT",
  "SSRC",
  "PT",
  "PACKETS",
  "LOST",
  "JITTER",
  "FAR LOSS",
  "RTT",
];

/** The streams as a table for people: SSRC in hexadecimal, jitter and round trip in milliseconds. */
export function streamsTable(streams: readonly LiveStream[]): string {
  const rows = [HEADINGS, ...streams.map(toCells)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

function toCells(stream: LiveStream): readonly string[] {
  const { far } = stream;
  return [
    stream.listener,
    stream.client,
    stream.upstreamDirection ? "<-" : "->",
    stream.endpoint,
    stream.ssrc.toString(16).padStart(8, "0"),
    String(stream.payloadType),
    String(stream.packets),
    String(stream.lost),
    `${stream.jitterMs.toFixed(2)} ms`,
    far === null ? "-" : `${(far.fractionLost * 100).toFixed(1)} %`,
    far === null || far.roundTripMs === null ? "-" : `${far.roundTripMs.toFixed(1)} ms`,
  ];
}
