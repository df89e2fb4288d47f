// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** What endpoints, and routes that ask for some of them, say under `envoy.lb`: canonical JSON by key. Plain data. */
export type LbMetadata = Readonly<Record<string, string>>;

/** Who gets a session that asks for a subset that there is not; Envoy's `LbSubsetFallbackPolicy`. */
export type SubsetFallback = "NO_FALLBACK" | "ANY_ENDPOINT" | "DEFAULT_SUBSET";

/** Keys by which endpoints are sorted into subsets: those of one subset have equal values for each of them. */
export interface SubsetSelector {
  /** In alphabetical order, each once. */
  readonly keys: readonly string[];
  /** That of the cluster unless said. */
  readonly fallback: SubsetFallback | undefined;
}

/** How a cluster is divided; Envoy's `LbSubsetConfig`. Plain data. */
export interface SubsetPlan {
  readonly fallback: SubsetFallback;
  /** What endpoints of DEFAULT_SUBSET have. */
  readonly defaultSubset: LbMetadata;
  readonly selectors: readonly SubsetSelector[];
}

/** The subset that a route asks for: the names of its keys, and those with their values. Plain data. */
export interface SubsetMatch {
  readonly keys: string;
  readonly values: string;
}

/** The subset with these values; undefined where there are none. */
export function subsetMatch(metadata: LbMetadata): SubsetMatch | undefined {
  const keys = Object.keys(metadata).sort();
  return keys.length === 0 ? undefined : { keys: keyNames(keys), values: valuesOf(keys, metadata) };
}

/** Stands for keys in alphabetical order. */
export function keyNames(keys: readonly string[]): string {
  return JSON.stringify(keys);
}

/** Stands for the values of these keys. */
export function valuesOf(keys: readonly string[], metadata: LbMetadata): string {
  return JSON.stringify(keys.map((key) => [key, metadata[key]]));
}
