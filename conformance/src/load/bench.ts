// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** Something that can be measured by `npm run bench -- NAME`: a folder beside this file whose `index.ts` exports it. */
export interface Bench {
  /** One line for `--list`. */
  readonly title: string;
  /** Whether all of it is in another bench, too, so that it runs only where it is named. */
  readonly isPart?: boolean;
  /** Builds what is measured, while the network is still there. */
  prepare?(tell: (line: string) => void): void;
  /** Runs `rounds` alternating rounds and returns a table for each scenario. `tell` prints progress. */
  run(
    rounds: number,
    tell: (line: string) => void,
    options: BenchOptions,
  ): Promise<readonly (BenchTable | FigureTable)[]>;
}

/** What was asked for beside the bench's name; a bench without scenarios has no use for it. */
export interface BenchOptions {
  /** Only scenarios whose name begins so. */
  readonly scenario: string | undefined;
  /** Whether to say where the time goes. */
  readonly isProfiled: boolean;
}

/** The rows of one scenario, all measured in the same run. */
export interface BenchTable {
  readonly scenario: string;
  /** The row that the others' ratios are to. */
  readonly reference: string;
  readonly rows: readonly BenchRow[];
  readonly goals?: readonly Goal[];
}

/** What a row's ratio should be at the most. */
export interface Goal {
  readonly row: string;
  readonly atMost: number;
  /** The row that the ratio is to, where it is not the table's reference. */
  readonly to?: string;
}

/** One relay under one scenario, round by round. */
export interface BenchRow {
  readonly name: string;
  /** CPU per datagram that arrived, nanoseconds. */
  readonly nsPerDatagram: readonly number[];
  /** CPUs kept busy. */
  readonly cpus: readonly number[];
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
    /** For each round the figures, in their order; NaN where this program has none. */
    readonly rounds: readonly (readonly number[])[];
  }[];
  /** Of figures, or of a figure of one program to that of another. */
  readonly goals?: readonly FigureGoal[];
}

/** What the ratio of two programs' figures should be, or one program's figure itself, at the most or at least. */
export interface FigureGoal {
  readonly figure: string;
  readonly program: string;
  /** The program that the ratio is to; without one it is the figure that counts. */
  readonly to?: string;
  readonly atMost?: number;
  readonly atLeast?: number;
}
