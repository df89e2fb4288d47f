// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Command } from "commander";
import { mainOf } from "../../mesh/mesh.ts";
import { runProgram } from "../run-program.ts";

/** Adds `config validate` and `config translate`, which the control plane's program does. */
export function register(program: Command): void {
  const config = program.command("config").description("check configuration, or show what it becomes");
  config
    .command("validate")
    .description(
      "check a YAML file or a folder of them; exit code 1 and every refusal with its line if it is not right",
    )
    .argument("<file>", "YAML file or folder")
    .addHelpText("after", "\nExample:\n  msm config validate deploy/local/mesh.yaml")
    .action((file: string) => runProgram(mainOf("@msm/control-plane"), ["validate", file]));
  config
    .command("translate")
    .description("print the Envoy v3 resources that a YAML file or a folder of them becomes")
    .argument("<file>", "YAML file or folder")
    .addHelpText("after", "\nExample:\n  msm config translate deploy/local/mesh.yaml")
    .action((file: string) => runProgram(mainOf("@msm/control-plane"), ["translate", file]));
}
