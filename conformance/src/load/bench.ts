// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** Something that can be measured by `npm run bench -- NAME`: a folder beside this file whose `index.ts` exports it. */
export interface Bench {
  /** One line for `--list`. */
  readonly title: string;
  /** Builds what is measured, while the network is still there. */
  prepare?(tell: (line: string) => void): void;
  /** Runs `rounds` alternating rounds and returns a table for each scenario. `tell` prints progress. */
  run(rounds: number, tell: (line: string) => void): Promise<readonly (BenchTable | FigureTable)[]>;
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

/** Several figures of several programs under one scenario, all measured in the same run. */
export interface FigureTable {
  readonly scenario: string;
  /** What is measured, with its unit: `memory per stream, kB`. */
  readonly figures: readonly string[];
  readonly programs: readonly {
    readonly name: string;
    /** For each round the figures, in their order. */
    readonly rounds: readonly (readonly number[])[];
  }[];
}
