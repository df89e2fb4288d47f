// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { BenchTable, FigureTable } from "../bench.ts";
import type { Site } from "../offer-load.ts";
import type { Profiler } from "../profiler.ts";

/** One file of `scenarios`, which exports it as `scenario`. Its file's name is what `--scenario` takes. */
export interface Scenario {
  /** The traffic in a line. */
  readonly title: string;
  /** What it needs that is not here. */
  missing?(): string | undefined;
  run(context: ScenarioContext): Promise<BenchTable | FigureTable>;
}

/** What a scenario runs with. */
export interface ScenarioContext {
  readonly rounds: number;
  /** Prints a line of progress. */
  readonly tell: (line: string) => void;
  /** The loopback of this network namespace. */
  readonly site: Site;
  /** Set where it shall be said where the time goes. */
  readonly profiler: Profiler | undefined;
}
