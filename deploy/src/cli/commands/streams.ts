// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { setTimeout as delay } from "node:timers/promises";
import type { Command } from "commander";
import { DEFAULT_ADMIN, namedProxy, noAnswer } from "../named-proxy.ts";

interface StreamsOptions {
  readonly admin: string;
  readonly json?: true;
  readonly watch?: true;
}

const CLEAR_SCREEN = "\x1b[H\x1b[2J";

/** Adds `streams`: the media streams of a running proxy. */
export function register(program: Command): void {
  program
    .command("streams")
    .description("the media streams of a running proxy, with loss, jitter and round trip")
    .option("--admin <url>", "admin address of the proxy", DEFAULT_ADMIN)
    .option("--json", "as JSON")
    .option("--watch", "once a second, until Ctrl-C")
    .addHelpText("after", "\nExamples:\n  msm streams\n  msm streams --admin http://127.0.0.1:15001 --watch")
    .action(showStreams);
}

async function showStreams(options: StreamsOptions): Promise<void> {
  const admin = namedProxy(options.admin);
  for (;;) {
    const text = await admin
      .text(options.json ? "/streams" : "/streams?format=text")
      .catch((error: unknown) => {
        throw noAnswer(options.admin, error);
      });
    if (options.watch && process.stdout.isTTY) process.stdout.write(CLEAR_SCREEN);
    process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
    if (!options.watch) return;
    await delay(1000);
  }
}
