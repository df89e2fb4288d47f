// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { MAX_SOURCES } from "../limits";
import { Route } from "./route";
import { Source } from "./source";

const sources = new Map<string, Source>();

/** The source of a stream: the one that is there, or a new one. Null where there are too many. It takes the route over. */
export function sourceFor(route: Route): Source | null {
  const key = route.key;
  if (sources.has(key)) {
    route.release();
    return sources.get(key);
  }
  if (sources.size == MAX_SOURCES) {
    route.release();
    return null;
  }
  const source = new Source(route, key);
  sources.set(key, source);
  return source;
}

/** Forgets a source that is over. */
export function forgetSource(source: Source): void {
  if (sources.has(source.key) && sources.get(source.key) == source) sources.delete(source.key);
}

export function tickSources(nowMs: i64): void {
  const all = sources.values();
  for (let i = 0; i < all.length; i++) all[i].onTick(nowMs);
}
