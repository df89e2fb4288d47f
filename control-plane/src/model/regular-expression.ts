// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// What RE2 leaves out, since it costs more than linear time: look-around and references to groups.
const NOT_IN_RE2 = /\(\?(?:[=!]|<[=!])|\\[1-9]|\\k</;

/** Says whether text is a regular expression in the common part of RE2, which Envoy has, and JavaScript. */
export function isRegularExpression(text: string): boolean {
  // An escaped backslash begins nothing.
  if (NOT_IN_RE2.test(text.replaceAll("\\\\", ""))) return false;
  try {
    new RegExp(text, "u");
    return true;
  } catch {
    return false;
  }
}
