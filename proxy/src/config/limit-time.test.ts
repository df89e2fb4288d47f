// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { ConfigError } from "../config-error.ts";
import { limitTime } from "./limit-time.ts";

/** (module (func (export "spin") (loop (br 0)))) */
const spinning = Uint8Array.from([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 8, 1, 4, 115, 112, 105, 110, 0, 0, 10, 9, 1,
  7, 0, 3, 64, 12, 0, 11, 11,
]);

test("WebAssembly that does not come back is stopped", () => {
  const { spin } = new WebAssembly.Instance(new WebAssembly.Module(spinning)).exports;

  expect(limitTime(() => (spin as () => void)(), 20)).toBe(false);
});

test("work that ends in time is let be, and its error is its own", () => {
  const error = new ConfigError("MSM_FILTER_START", "field", "problem");

  expect(limitTime(() => {}, 1000)).toBe(true);
  expect(() =>
    limitTime(() => {
      throw error;
    }, 1000),
  ).toThrow(error);
});
