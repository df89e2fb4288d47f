// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Bench } from "./bench.ts";
import { bench as datapath } from "./datapath/index.ts";

/** A bench that is some scenarios of `datapath` by a name of its own: those whose names begin with one of `prefixes`. */
export function partOfDatapath(title: string, prefixes: readonly string[]): Bench {
  return {
    title: `${title}: ${prefixes.join(", ")} of datapath`,
    isPart: true,
    async run(rounds, tell, options) {
      const chosen = options.scenario === undefined ? prefixes : [options.scenario];
      const tables = [];
      for (const scenario of chosen)
        tables.push(...(await datapath.run(rounds, tell, { ...options, scenario })));
      return tables;
    },
  };
}
