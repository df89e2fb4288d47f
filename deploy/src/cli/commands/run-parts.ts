// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Command } from "commander";
import { mainOf } from "../../mesh/mesh.ts";
import { runProgram } from "../run-program.ts";

const PARTS = [
  ["control-plane", "@msm/control-plane", "run a control plane; its own options follow (try --help)"],
  ["proxy", "@msm/proxy", "run a proxy; its own options follow (try --help)"],
] as const;

/** Adds `control-plane` and `proxy`: everything behind the name goes to that program as it is. */
export function register(program: Command): void {
  for (const [name, packageName, description] of PARTS) {
    program
      .command(name)
      .description(description)
      .argument("[args...]", "arguments of the program")
      .helpOption(false)
      .allowUnknownOption()
      .passThroughOptions()
      .action((args: readonly string[]) => runProgram(mainOf(packageName), args));
  }
}
