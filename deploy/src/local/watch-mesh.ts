// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { setTimeout as delay } from "node:timers/promises";
import type { ViewedStream } from "../media/incoming-media.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { ConfigNews } from "./config-news.ts";
import type { DemoOptions } from "./demo.ts";
import { type StatusSample, statusTable } from "./status-table.ts";

const REFRESH_MS = 1000;

/** Shows what flows and what becomes of edits, until the time is over or the demo is told to stop. */
export async function watchMesh(
  options: DemoOptions,
  mesh: Mesh,
  viewed: () => readonly ViewedStream[],
): Promise<void> {
  const endsAt = performance.now() + (options.seconds ?? Number.POSITIVE_INFINITY) * 1000;
  const news = new ConfigNews(mesh.status);
  let before: StatusSample | undefined;
  while (!options.signal.aborted && performance.now() < endsAt) {
    const pause = Math.min(REFRESH_MS, endsAt - performance.now());
    await delay(pause, undefined, { signal: options.signal }).catch(() => undefined);
    for (const child of [mesh.controlPlane, mesh.proxy]) {
      if (child.exit) throw childEnded(child.name, child.logPath, child.recentLines());
    }
    for (const line of await news.take()) options.print(line);
    if (options.signal.aborted) return;
    const proxied = await mesh.admin.streams().catch(() => undefined);
    before = show(options, { atMs: performance.now(), viewed: viewed(), proxied }, before);
  }
}

function show(options: DemoOptions, sample: StatusSample, before: StatusSample | undefined): StatusSample {
  const lines = statusTable(sample, before);
  if (options.repaint) {
    options.repaint(lines);
  } else {
    // The headings once, then a line for each stream.
    for (const line of before ? lines.slice(1) : lines) options.print(line);
  }
  return sample;
}

function childEnded(name: string, logPath: string, lines: readonly string[]): Error {
  const tail = lines.map((line) => `  | ${line}`).join("\n");
  return new Error(`the ${name} ended by itself. Its log is ${logPath}; the end of it:\n${tail}`);
}
