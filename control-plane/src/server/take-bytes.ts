// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { ResourceEntry } from "../snapshot/resource-entry.ts";

// gRPC clients take messages of 4 MiB unless told otherwise; half a MiB is left for names and the frame.
const MAX_RESPONSE_BYTES = 3.5 * 1024 * 1024;

/** The first entries that fit one response: at least one, even if it alone is too large. */
export function takeBytes(entries: readonly ResourceEntry[]): readonly ResourceEntry[] {
  let bytes = 0;
  for (const [index, entry] of entries.entries()) {
    bytes += entry.deltaBytes.length;
    if (bytes > MAX_RESPONSE_BYTES && index > 0) return entries.slice(0, index);
  }
  return entries;
}
