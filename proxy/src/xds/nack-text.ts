// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Rejection } from "../config/resource.ts";

/** Longer texts would not fit where people read them, and some servers log them whole. */
const MAX_CHARACTERS = 4096;

/** The text of a NACK: a line `name: CODE: field: problem` for each refused resource. */
export function nackText(rejections: readonly Rejection[]): string {
  const lines: string[] = [];
  let length = 0;
  for (const { name, error } of rejections) {
    const line = `${name === "" ? "(no name)" : name}: ${error.message}`.slice(0, MAX_CHARACTERS);
    length += line.length + 1;
    if (length > MAX_CHARACTERS && lines.length > 0) {
      lines.push(`and ${rejections.length - lines.length} more`);
      break;
    }
    lines.push(line);
  }
  return lines.join("\n");
}
