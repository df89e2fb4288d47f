// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { buildGoProgram, goProgram } from "./build-go-program.ts";

const NAME = "go-control-plane";

/** The program that `buildGoServer` builds. */
export const goServer: string = goProgram(NAME);

/** Builds the server made with go-control-plane. Returns why it could not be built. */
export function buildGoServer(): string | undefined {
  return buildGoProgram(NAME);
}
