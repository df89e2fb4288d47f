// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { randomInt } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import type { Soak } from "../soak.ts";
import { readDialogs } from "./dialogs.ts";
import { Dice } from "./dice.ts";
import { Fuzzer } from "./fuzzer.ts";

const DEFAULT_MS = 10 * 60_000;
const SEEDS = 2 ** 31;
/** Dialogs with one instance of the filter; then it has to have forgotten them all. */
const DIALOGS_AT_ONCE = 500;

/** The filter on its real host, without sockets: some thousand dialogs a second, where real clients would make some ten. */
export const soak: Soak = {
  title:
    "dialogs of RFC 2326, ffmpeg and GStreamer with mistakes in them, from clients and from cameras, through the RTSP filter (ten minutes): it never fails, serves others on, and keeps nothing",
  run: async ({ deadlineMs, tell }) => {
    const endMs = Math.min(deadlineMs, performance.now() + DEFAULT_MS);
    const dialogs = readDialogs();
    const fixed = process.env.MSM_TEST_SEED;
    let count = 0;
    let sessions = 0;
    do {
      const seed = fixed === undefined ? randomInt(SEEDS) : Number(fixed);
      try {
        const fuzzer = await Fuzzer.start(dialogs, new Dice(seed));
        for (let i = 0; i < DIALOGS_AT_ONCE; i++, count++) fuzzer.play();
        fuzzer.end();
        sessions += fuzzer.sessions;
      } catch (error) {
        throw new Error(`again with MSM_TEST_SEED=${seed}: ${String(error)}`, { cause: error });
      }
      await turn();
    } while (performance.now() < endMs);
    tell(`${count} dialogs, of which ${sessions} came to a session`);
  },
};
