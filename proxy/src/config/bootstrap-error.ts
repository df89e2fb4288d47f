// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { ConfigError } from "../config-error.ts";

/** A place in a file; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** What is wrong with a bootstrap, and where it stands, if that is known. */
export interface BootstrapProblem {
  readonly error: ConfigError;
  readonly position: Position | undefined;
}

/** A bootstrap that cannot be used, with everything that was found wrong with it, a line each in the message. */
export class BootstrapError extends Error {
  readonly problems: readonly BootstrapProblem[];

  constructor(source: string, problems: readonly BootstrapProblem[]) {
    super(problems.map((problem) => describe(source, problem)).join("\n"));
    this.name = "BootstrapError";
    this.problems = problems;
  }
}

function describe(source: string, { error, position }: BootstrapProblem): string {
  const place = position === undefined ? source : `${source}:${position.line}:${position.column}`;
  return `${place}: ${error.message}`;
}
