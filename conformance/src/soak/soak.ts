// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** Something that runs for long by `npm run soak -- NAME`: a folder beside this file whose `index.ts` exports it. */
export interface Soak {
  /** One line for `--list`. */
  readonly title: string;
  /** Runs until `deadlineMs` of `performance.now()`, or as many turns as it has by itself. Throws where something is wrong. */
  run(options: SoakOptions): Promise<void>;
}

/** What a soak is given. */
export interface SoakOptions {
  /** When it has to be over, on the clock of `performance.now()`; Infinity where no time was given. */
  readonly deadlineMs: number;
  /** Says how it goes. */
  readonly tell: (line: string) => void;
}
