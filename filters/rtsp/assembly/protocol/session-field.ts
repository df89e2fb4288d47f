// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { lowerCase, readDecimal, trimBlanks } from "@msm/filter-sdk/assembly/signalling";

/** The time-out of a session that says none (RFC 2326 section 12.37). */
const DEFAULT_TIMEOUT_S: i64 = 60;

/** The id in a Session field. */
export function sessionIdOf(field: string): string {
  const semicolon = field.indexOf(";");
  return semicolon < 0 ? field : trimBlanks(field.substring(0, semicolon));
}

/** The time-out in a Session field, in milliseconds. */
export function sessionTimeoutMs(field: string): i64 {
  const parts = field.split(";");
  for (let i = 1; i < parts.length; i++) {
    const part = lowerCase(trimBlanks(parts[i]));
    const seconds = part.startsWith("timeout=") ? readDecimal(part.substring(8), 86_400) : -1;
    if (seconds > 0) return seconds * 1_000;
  }
  return DEFAULT_TIMEOUT_S * 1_000;
}
