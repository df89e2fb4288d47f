// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** The lines of `/clusters` without what is counted or limited: what two proxies of one configuration have in common. */
export function comparableLines(text: string): readonly string[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const at = line.lastIndexOf("::");
      const key = line.slice(0, at);
      return /::(?:[cr][xq]_\w+|max_\w+)$/.test(key) ? key : line;
    })
    .sort();
}
