// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { parseDuration } from "./duration.ts";

test.each([
  ["60s", 60_000],
  ["500ms", 500],
  ["1h30m", 5_400_000],
  ["0s", 0],
])("reads %s as %d ms", (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

test.each(["", "60", "s", "1.5s", "-1s", "1d", "1s ", "100000s", "1s1s1s1s1s"])("refuses %j", (text) => {
  expect(parseDuration(text)).toBeUndefined();
});
