// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** Something that can be measured by `npm run bench -- NAME`: a folder beside this file whose `index.ts` exports it. */
export interface Bench {
  /** One line for `--list`. */
  readonly title: string;
  /** Runs `rounds` alternating rounds and returns a table for each scenario. `tell` prints progress. */
  run(rounds: number, tell: (line: string) => void): Promise<readonly BenchTable[]>;
}

/** The rows of one scenario, all measured in the same run. */
export interface BenchTable {
  readonly scenario: string;
  /** The row that the others' ratios are to. */
  readonly reference: string;
  readonly rows: readonly BenchRow[];
}

/** One relay under one scenario, round by round. */
export interface BenchRow {
  readonly name: string;
  /** CPU per datagram that arrived, nanoseconds. */
  readonly nsPerDatagram: readonly number[];
  /** Datagrams lost of those sent, over all rounds. */
  readonly lost: number;
  readonly sent: number;
}
