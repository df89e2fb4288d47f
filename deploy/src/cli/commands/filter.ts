// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Command } from "commander";
import { runProgram } from "../run-program.ts";

const COMMANDS = [
  [
    "new",
    "<name>",
    "make a filter's folder that builds and passes its test",
    "msm filter new drop-small --lang rust",
  ],
  ["build", "<folder>", "compile a filter into its folder", "msm filter build filters/drop-small"],
  ["test", "<folder>", "run the contract that every filter has to keep", "msm filter test filters/rtp-stats"],
  [
    "run",
    "<folder>",
    "run a capture through a filter and say what becomes of each datagram",
    "msm filter run filters/rtp-stats --pcap in.pcap --out out.pcap --config '{}'",
  ],
  ["bench", "<folder>", "what a filter costs, ns per datagram", "msm filter bench filters/rtp-stats"],
] as const;

/** Adds `filter new`, `build`, `test`, `run` and `bench`: the tools of the filter SDK, with their options as they are. */
export function register(program: Command): void {
  const filter = program
    .command("filter")
    .description("write a filter: make, build, test, run and measure it");
  for (const [name, target, description, example] of COMMANDS) {
    filter
      .command(name)
      .description(description)
      .argument(target)
      .argument("[options...]", "--config JSON, --pcap FILE, --out FILE, --into FOLDER, --lang as|c|rust|js")
      .allowUnknownOption()
      .passThroughOptions()
      .addHelpText("after", `\nExample:\n  ${example}`)
      .action((first: string, rest: readonly string[]) => runProgram(authorTools(), [name, first, ...rest]));
  }
}

/** The program of the filter SDK, which is beside the filters. */
function authorTools(): string {
  const filters = createRequire(import.meta.url).resolve("@msm/filters/package.json");
  return join(dirname(filters), "sdk/dist/author/main.js");
}
