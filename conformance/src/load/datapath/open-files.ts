// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";

/** What a relay opens beside the sockets of its sessions. */
const OTHERS = 200;

/** Why a relay cannot have so many sockets here, or undefined where it can. */
export function whyTooFewFiles(sockets: number): string | undefined {
  // Node has raised the soft limit to the hard one for itself and for what it starts.
  const limit = Number(readFileSync("/proc/self/limits", "utf8").match(/^Max open files\s+(\d+)/m)?.[1]);
  const wanted = sockets + OTHERS;
  return limit < wanted ? `it needs ulimit -n ${wanted}, which is ${limit}` : undefined;
}
