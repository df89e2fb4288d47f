// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock } from "../clock.ts";
import type { RawResource } from "../model/raw-resource.ts";
import type { Refusal } from "../refusal.ts";

/** Everything that a source holds at one moment. */
export interface SourceUpdate {
  readonly resources: readonly RawResource[];
  /** What could not be read so far as to become a resource. */
  readonly refusals: readonly Refusal[];
  /** False while something could not be read and nothing earlier stands in for it. */
  readonly isComplete: boolean;
}

/** A place from which mesh resources come. */
export interface Source {
  /** Reads everything once. Throws only where there can be nothing to serve: a path that does not exist. */
  read(): Promise<SourceUpdate>;
  /** Calls `onUpdate` with every later change until aborted; never throws. */
  watch(onUpdate: (update: SourceUpdate) => void, signal: AbortSignal): void;
}

/** What a source is created with. */
export interface SourceOptions {
  /** Where to look; its meaning is the source's. */
  readonly config: string;
  readonly clock: Clock;
}
