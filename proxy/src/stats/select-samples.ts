// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { runInNewContext } from "node:vm";
import { statName } from "./render-envoy.ts";
import type { Sample } from "./sample.ts";

/** Which samples to show, as in Envoy's query parameters. */
export interface Selection {
  /** Leave out counters and histograms that never counted anything. */
  readonly usedOnly: boolean;
  /** A regular expression that must be found in the name. */
  readonly filter: string | undefined;
}

/** A filter that cannot be used; the message says why. */
export class SelectionError extends Error {}

/** Longer patterns are for programs, not for people. */
const MAX_FILTER_LENGTH = 256;
/** A pattern that backtracks without end is stopped after so long; a good one takes a millisecond. */
const FILTER_TIMEOUT_MS = 100;

/** The samples that a selection asks for. Throws a `SelectionError`. */
export function selectSamples(
  samples: readonly Sample[],
  { usedOnly, filter }: Selection,
): readonly Sample[] {
  const used = usedOnly ? samples.filter(isUsed) : samples;
  if (filter === undefined) return used;
  if (filter.length > MAX_FILTER_LENGTH) {
    throw new SelectionError(`the filter is longer than ${MAX_FILTER_LENGTH} characters`);
  }
  const matches = matchNames(used.map(statName), filter);
  return used.filter((_, index) => matches[index]);
}

/** A gauge that is zero says something, such as `server.state`; a counter at zero says that nothing happened. */
function isUsed({ kind, value }: Sample): boolean {
  if (kind === "gauge") return true;
  return typeof value === "number" ? value !== 0 : value.count !== 0;
}

/** Runs the pattern where it can be stopped: only a script of `node:vm` has a time limit. */
function matchNames(names: readonly string[], pattern: string): readonly boolean[] {
  const script = "{ const regex = new RegExp(pattern); names.map((name) => regex.test(name)); }";
  try {
    return runInNewContext(script, { names, pattern }, { timeout: FILTER_TIMEOUT_MS }) as readonly boolean[];
  } catch (error) {
    const reason = error instanceof Error || isErrorLike(error) ? error.message : String(error);
    throw new SelectionError(`the filter is not a usable regular expression: ${reason}`);
  }
}

/** Errors of another context are not instances of this one's `Error`. */
function isErrorLike(error: unknown): error is { readonly message: string } {
  return typeof error === "object" && error !== null && "message" in error;
}
