// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { matchesRegex } from "./regex/run-regex.ts";
import type { TextTest } from "./route-plan.ts";

/** Longer texts match no regular expression: the time that one takes is in proportion to them. */
const MAX_REGEX_TEXT = 8_192;

/** Whether a text passes a test; Envoy's `StringMatcher`. */
export function matchesText(test: TextTest, text: string): boolean {
  if (test.kind === "regex") return text.length <= MAX_REGEX_TEXT && matchesRegex(test.regex, text);
  const value = test.isCaseSensitive ? test.value : test.value.toLowerCase();
  const subject = test.isCaseSensitive ? text : text.toLowerCase();
  switch (test.kind) {
    case "exact":
      return subject === value;
    case "prefix":
      return subject.startsWith(value);
    case "suffix":
      return subject.endsWith(value);
    case "contains":
      return subject.includes(value);
  }
}
