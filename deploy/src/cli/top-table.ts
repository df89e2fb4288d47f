// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { ProxyFlow, ProxyLeg, ProxyStream } from "../mesh/proxy-admin.ts";

/** What is known of a proxy at one moment. */
export interface TopSample {
  readonly atMs: number;
  readonly flows: readonly ProxyFlow[];
  readonly streams: readonly ProxyStream[];
}

const HEADINGS = ["STREAM", "LEG", "BY", "KBIT/S", "DATAGRAMS", "LOST", "JITTER", "DROPPED"] as const;
const NUMBERS_FROM = 3;

type Row = readonly string[];

/**
 * Renders each stream with its source and at most `maxReaders` of its readers, the busiest first. Loss and jitter are
 * those of the source leg as the proxy finds them, and of the worst reader as its reports say; `DROPPED` is what
 * the proxy did not send to a reader. Rates need the sample before.
 */
export function topTable(
  now: TopSample,
  before: TopSample | undefined,
  maxReaders: number,
): readonly string[] {
  const rows = [
    ...now.flows.flatMap((flow) => flowRows(flow, now, before, maxReaders)),
    ...now.streams
      .filter(({ listener }) => !isFlow(listener, now))
      .map((stream) => sessionRow(stream, now, before)),
  ];
  return render([HEADINGS, ...rows]);
}

function flowRows(flow: ProxyFlow, now: TopSample, before: TopSample | undefined, maxReaders: number): Row[] {
  const stream = now.streams.find(({ listener }) => listener === flow.stream);
  const earlier = before?.flows.find(({ owner, id }) => owner === flow.owner && id === flow.id);
  const elapsedMs = before === undefined ? 0 : now.atMs - before.atMs;
  const rate = (leg: ProxyLeg): number | undefined => {
    const old = earlier?.legs.find(({ id }) => id === leg.id);
    return old && kilobits(bytesOf(leg) - bytesOf(old), elapsedMs);
  };
  const sources = flow.legs.filter(({ role }) => role === "source");
  const readers = flow.legs
    .filter(({ role }) => role === "receiver")
    .sort((left, right) => (rate(right) ?? 0) - (rate(left) ?? 0));
  const shown = readers.slice(0, maxReaders);
  const more = readers.length - shown.length;
  const far = stream?.far ?? undefined;
  return [
    ...sources.map((leg, index) => [
      index === 0 ? flow.stream : "",
      `<- ${leg.id}`,
      leg.transport,
      shownRate(rate(leg)),
      String(leg.receivedDatagrams),
      stream === undefined ? "-" : String(stream.lost),
      stream === undefined ? "-" : `${stream.jitterMs.toFixed(2)} ms`,
      "",
    ]),
    ...shown.map((leg, index) => [
      "",
      `-> ${leg.id}${leg.isEnabled ? "" : " (paused)"}`,
      leg.transport,
      shownRate(rate(leg)),
      String(leg.sentDatagrams),
      index === 0 && far ? String(far.cumulativeLost) : "",
      index === 0 && far ? `${far.jitterMs.toFixed(2)} ms` : "",
      String(Object.values(leg.dropped).reduce((total, count) => total + count, 0)),
    ]),
    ...(more > 0 ? [["", `-> and ${more} more`, "", "", "", "", "", ""]] : []),
  ];
}

/** A stream of a listener that signalling has no part in. */
function sessionRow(stream: ProxyStream, now: TopSample, before: TopSample | undefined): Row {
  const earlier = before?.streams.find(
    ({ ssrc, listener, client }) =>
      ssrc === stream.ssrc && listener === stream.listener && client === stream.client,
  );
  const rate = earlier && before ? kilobits(stream.bytes - earlier.bytes, now.atMs - before.atMs) : undefined;
  return [
    stream.listener,
    `${stream.client} -> ${stream.endpoint}`,
    "udp",
    shownRate(rate),
    String(stream.packets),
    String(stream.lost),
    `${stream.jitterMs.toFixed(2)} ms`,
    "",
  ];
}

function isFlow(name: string, { flows }: TopSample): boolean {
  return flows.some(({ stream }) => stream === name);
}

function bytesOf({ role, receivedBytes, sentBytes }: ProxyLeg): number {
  return role === "source" ? receivedBytes : sentBytes;
}

function kilobits(bytes: number, elapsedMs: number): number {
  return elapsedMs > 0 ? (bytes * 8) / elapsedMs : 0;
}

function shownRate(rate: number | undefined): string {
  return rate === undefined ? "-" : rate.toFixed(0);
}

function render(rows: readonly Row[]): readonly string[] {
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column < NUMBERS_FROM ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join("  ")
      .trimEnd(),
  );
}
