// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { ViewedStream } from "../media/incoming-media.ts";
import type { ProxyStream } from "../mesh/proxy-admin.ts";

/** What is known at one moment. */
export interface StatusSample {
  readonly atMs: number;
  readonly viewed: readonly ViewedStream[];
  /** Undefined where the proxy did not answer. */
  readonly proxied: readonly ProxyStream[] | undefined;
}

const COLUMNS = [
  "stream",
  "kbit/s",
  "datagrams",
  "lost",
  "jitter ms",
  "in proxy",
  "lost",
  "jitter ms",
  "far lost",
  "RTT ms",
];
const WIDTHS = [8, 8, 10, 6, 10, 10, 6, 10, 9, 8];

/** Renders a line of headings and one for each stream: as the viewer has it, then as the proxy's `/streams` has it. */
export function statusTable(now: StatusSample, before: StatusSample | undefined): readonly string[] {
  const rows = now.viewed.map((stream) => {
    const earlier = before?.viewed.find(({ ssrc }) => ssrc === stream.ssrc);
    const proxied = now.proxied?.find(({ ssrc, packets }) => ssrc === stream.ssrc && packets > 0);
    return [
      stream.kind,
      earlier && before ? bitrate(stream.bytes - earlier.bytes, now.atMs - before.atMs) : "-",
      stream.received,
      stream.lost,
      stream.jitterMs.toFixed(2),
      proxied?.packets ?? "-",
      proxied?.lost ?? "-",
      proxied?.jitterMs.toFixed(2) ?? "-",
      proxied?.far?.cumulativeLost ?? "-",
      proxied?.far?.roundTripMs?.toFixed(2) ?? "-",
    ];
  });
  return [COLUMNS, ...rows].map(renderRow);
}

function bitrate(bytes: number, elapsedMs: number): string {
  return elapsedMs > 0 ? ((bytes * 8) / elapsedMs).toFixed(0) : "-";
}

function renderRow(cells: readonly (string | number)[]): string {
  return cells
    .map((cell, column) =>
      column === 0 ? String(cell).padEnd(WIDTHS[0]!) : String(cell).padStart(WIDTHS[column]!),
    )
    .join(" ");
}
