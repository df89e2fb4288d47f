// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import { backoffMs } from "./backoff.ts";

test("the first retry is quick, later ones wait for up to twice as long each, and never for more than 30 s", () => {
  expect([1, 2, 3, 4, 9, 1000].map((failures) => backoffMs(failures, 1))).toEqual([
    50, 500, 1000, 2000, 30_000, 30_000,
  ]);
});

test("the whole range from zero is used, so that proxies do not return in step", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (failures, random) => {
        expect(backoffMs(failures, random)).toBeCloseTo(backoffMs(failures, 1) * random);
      },
    ),
  );
});
