// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { median, ratios } from "./statistics.ts";

test("the median is the value in the middle, or the mean of two", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
});

test("ratios are taken round by round", () => {
  expect(ratios([2, 9], [1, 3])).toEqual([2, 3]);
});
