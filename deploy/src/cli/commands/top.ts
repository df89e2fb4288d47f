// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { setTimeout as delay } from "node:timers/promises";
import { type Command, InvalidArgumentError } from "commander";
import type { ProxyAdmin } from "../../mesh/proxy-admin.ts";
import { DEFAULT_ADMIN, namedProxy, noAnswer } from "../named-proxy.ts";
import { type TopSample, topTable } from "../top-table.ts";

interface TopOptions {
  readonly admin: string;
  readonly readers: number;
  readonly once?: true;
}

const CLEAR_SCREEN = "\x1b[H\x1b[2J";
const INTERVAL_MS = 1000;

/** Adds `top`: every stream with its source and its readers, live. */
export function register(program: Command): void {
  program
    .command("top")
    .description("each stream of a running proxy with its source and its readers: bitrate, loss, jitter")
    .option("--admin <url>", "admin address of the proxy", DEFAULT_ADMIN)
    .option("--readers <count>", "show so many readers of a stream, the busiest first", readCount, 8)
    .option("--once", "one table, over one second")
    .addHelpText("after", "\nExamples:\n  msm top\n  msm top --readers 100 --once")
    .action(showTop);
}

async function showTop({ admin: url, readers, once }: TopOptions): Promise<void> {
  const admin = namedProxy(url);
  const read = (): Promise<TopSample> =>
    takeSample(admin).catch((error: unknown) => {
      throw noAnswer(url, error);
    });
  let before = await read();
  do {
    await delay(INTERVAL_MS);
    const now = await read();
    if (process.stdout.isTTY && !once) process.stdout.write(CLEAR_SCREEN);
    process.stdout.write(`${topTable(now, before, readers).join("\n")}\n`);
    before = now;
  } while (!once);
}

async function takeSample(admin: ProxyAdmin): Promise<TopSample> {
  const [flows, streams] = await Promise.all([admin.flows(), admin.streams()]);
  return { atMs: performance.now(), flows, streams };
}

function readCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 0) throw new InvalidArgumentError("Write a number such as 8.");
  return count;
}
