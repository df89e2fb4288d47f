// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { readdirSync } from "node:fs";
import { Command } from "commander";

/** A module in `commands/` adds its commands to the program. */
export interface CommandModule {
  register(program: Command): void;
}

const EXAMPLES = `
Examples:
  msm config validate deploy/local/mesh.yaml    is this mesh right? says file, line and what to do
  msm config translate deploy/local/mesh.yaml   the Envoy resources that it becomes
  msm control-plane --source file --config deploy/local/mesh.yaml
  msm proxy -c bootstrap.yaml --concurrency 2
  msm streams --watch                           what flows now, with loss and jitter
  msm top                                       each stream with its source and its readers, live
  msm clusters                                  where sessions may go: endpoints, health and why
  msm camera --port 8554                        a test camera: an RTSP server with picture and sound
  msm viewer rtsp://127.0.0.1:8554/test         a player that shows what arrives in numbers

In a checkout, "npm run msm -- streams --watch". More of a command: "msm streams --help".`;

const folder = new URL("./commands/", import.meta.url);

/** Makes the command line from every module in `commands/`; a new file there is a new command. */
export async function buildProgram(): Promise<Command> {
  const program = new Command("msm")
    .description("Media Streaming Mesh: run its parts, check its configuration, look at what flows.")
    .enablePositionalOptions()
    .showHelpAfterError()
    .addHelpText("after", EXAMPLES);
  const names = readdirSync(folder).filter((name) => /^[a-z-]+\.(ts|js)$/.test(name));
  for (const name of names.sort()) {
    const module = (await import(new URL(name, folder).href)) as CommandModule;
    module.register(program);
  }
  return program;
}
