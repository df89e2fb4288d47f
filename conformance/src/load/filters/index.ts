// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Bench, FigureTable } from "../bench.ts";
import { filterCases } from "./filter-cases.ts";

/** Rounds that only let V8 compile. */
const WARM_UP = 3;

/** Measures what filters cost by themselves, without sockets. */
export const bench: Bench = {
  title: "what filters cost a datagram, by language and by how they are kept in bounds",
  run: async (rounds, tell): Promise<readonly FigureTable[]> => {
    const cases = await filterCases(tell);
    for (let i = 0; i < WARM_UP; i++) for (const { measure } of cases) measure();
    const measured: number[][] = [];
    for (let round = 0; round < rounds; round++) {
      // In turn, so that what else happens on the machine meets all of them.
      measured.push(cases.map(({ measure }) => measure()));
      tell(`round ${round + 1} of ${rounds}`);
    }
    const figures = cases.map(({ name }) => name);
    const programs = [{ name: "ns per datagram", rounds: measured }];
    return [{ scenario: "batches of 64 RTP packets of 1,328 bytes, copies included", figures, programs }];
  },
};
