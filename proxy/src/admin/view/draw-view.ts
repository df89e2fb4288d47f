// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Runs in the browser, too: nothing is imported but what is beside it, and types.
import { HISTORY_LENGTH, type ViewEnd, type ViewRow } from "./view-model.ts";

const WIDTH = 960;
const BOX = { width: 250, height: 40, gap: 10 } as const;
const MIDDLE = { left: 355, width: 250 } as const;
const RIGHT = WIDTH - BOX.width;
/** More receivers than these are summed up in one box. */
const MAX_RECEIVERS = 12;

/** The picture of all rows as HTML; every text from outside is escaped. */
export function drawView(rows: readonly ViewRow[]): string {
  if (rows.length === 0) return `<p class="empty">No media flows yet. Play or send something.</p>`;
  return rows.map(drawRow).join("\n");
}

function drawRow(row: ViewRow): string {
  const receivers = withinLimit(row.receivers);
  const lines = Math.max(row.sources.length, receivers.length, 2);
  const height = lines * (BOX.height + BOX.gap) + BOX.gap;
  const centre = height / 2;
  const left = column(row.sources, 0, height);
  const right = column(receivers, RIGHT, height);
  const parts = [
    ...left.map(({ end, y }) => edge(BOX.width, y, MIDDLE.left, centre, end)),
    ...right.map(({ end, y }) => edge(MIDDLE.left + MIDDLE.width, centre, RIGHT, y, end)),
    ...left.map(({ end, x, y }) => box(end, x, y)),
    ...right.map(({ end, x, y }) => box(end, x, y)),
    middle(row, centre),
  ];
  return `<section><h2>${escapeHtml(row.title)}</h2><svg viewBox="0 0 ${WIDTH} ${height}" role="img">${parts.join("")}</svg></section>`;
}

function withinLimit(receivers: readonly ViewEnd[]): readonly ViewEnd[] {
  if (receivers.length <= MAX_RECEIVERS) return receivers;
  const shown = receivers.slice(0, MAX_RECEIVERS - 1);
  const rest = receivers.slice(shown.length);
  return [
    ...shown,
    {
      label: `and ${rest.length} more`,
      note: "together",
      bitsPerSecond: rest.reduce((sum, { bitsPerSecond }) => sum + bitsPerSecond, 0),
      dropped: rest.reduce((sum, { dropped }) => sum + dropped, 0),
      isIdle: rest.every(({ isIdle }) => isIdle),
    },
  ];
}

interface Placed {
  readonly end: ViewEnd;
  readonly x: number;
  /** Its middle. */
  readonly y: number;
}

/** Boxes of one side, one below the other, around the middle. */
function column(ends: readonly ViewEnd[], x: number, height: number): readonly Placed[] {
  const pitch = BOX.height + BOX.gap;
  const first = (height - (ends.length - 1) * pitch) / 2;
  return ends.map((end, index) => ({ end, x, y: first + index * pitch }));
}

function box(end: ViewEnd, x: number, y: number): string {
  const dropped = end.dropped > 0 ? `, ${end.dropped} dropped` : "";
  const kind = boxKind(end);
  return `<g class="${kind}"><rect x="${x}" y="${y - BOX.height / 2}" width="${BOX.width}" height="${BOX.height}" rx="6"/>
<text x="${x + 10}" y="${y - 3}">${escapeHtml(end.label)}</text>
<text class="note" x="${x + 10}" y="${y + 13}">${escapeHtml(`${end.note}${dropped}`)}</text>
<text class="rate" x="${x + BOX.width - 10}" y="${y - 3}">${rateText(end.bitsPerSecond)}</text></g>`;
}

function boxKind(end: ViewEnd): string {
  if (end.dropped > 0) return "end bad";
  return end.isIdle ? "end idle" : "end";
}

/** A line as thick as what flows, by its logarithm: 10 kbit/s are thin, 100 Mbit/s thick. */
function edge(x1: number, y1: number, x2: number, y2: number, end: ViewEnd): string {
  const bend = (x2 - x1) / 2;
  const thickness =
    end.bitsPerSecond === 0 ? 1 : Math.min(10, Math.max(1.5, 1.5 * Math.log10(end.bitsPerSecond / 1000)));
  const kind = end.bitsPerSecond === 0 ? "edge idle" : "edge";
  return `<path class="${kind}" stroke-width="${thickness.toFixed(1)}" d="M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}"/>`;
}

function middle(row: ViewRow, y: number): string {
  const top = y - 36;
  const facts =
    row.lost === undefined
      ? "no statistics filter"
      : `${row.lost} lost, jitter ${(row.jitterMs ?? 0).toFixed(2)} ms`;
  const kind = (row.lost ?? 0) > 0 ? "proxy bad" : "proxy";
  return `<g class="${kind}"><rect x="${MIDDLE.left}" y="${top}" width="${MIDDLE.width}" height="72" rx="6"/>
<text x="${MIDDLE.left + 10}" y="${top + 18}">${escapeHtml(facts)}</text>
${sparkline(row.history, MIDDLE.left + 10, top + 26, MIDDLE.width - 20, 38)}</g>`;
}

/** The rates of the last looks, from nothing to the highest. */
function sparkline(history: readonly number[], x: number, y: number, width: number, height: number): string {
  const highest = Math.max(1, ...history);
  const step = width / (HISTORY_LENGTH - 1);
  const start = HISTORY_LENGTH - history.length;
  const points = history.map((rate, index) => {
    const at = x + (start + index) * step;
    return `${at.toFixed(1)},${(y + height - (rate / highest) * height).toFixed(1)}`;
  });
  return `<polyline points="${points.join(" ")}"/>`;
}

/** A rate in the unit that suits it; empty where nothing flows. */
export function rateText(bitsPerSecond: number): string {
  if (bitsPerSecond <= 0) return "";
  if (bitsPerSecond < 1e6) return `${(bitsPerSecond / 1e3).toFixed(0)} kbit/s`;
  return `${(bitsPerSecond / 1e6).toFixed(bitsPerSecond < 1e7 ? 2 : 1)} Mbit/s`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
