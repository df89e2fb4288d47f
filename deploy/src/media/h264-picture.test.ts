// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { MACROBLOCK_BYTES, MACROBLOCK_COUNT, paintPicture } from "./h264-picture.ts";

test("paints the same picture for the same number, whatever was painted before", () => {
  const reused = paintPicture(977);
  expect(paintPicture(41, reused).equals(paintPicture(41))).toBe(true);
});

test("differs from frame to frame in a few macroblocks only", () => {
  for (let frame = 1; frame < 400; frame++) {
    const [before, after] = [paintPicture(frame - 1), paintPicture(frame)];
    let changed = 0;
    for (let at = 0; at < before.length; at += MACROBLOCK_BYTES) {
      if (!before.subarray(at, at + MACROBLOCK_BYTES).equals(after.subarray(at, at + MACROBLOCK_BYTES)))
        changed++;
    }
    expect(changed).toBeGreaterThan(0);
    expect(changed).toBeLessThan(MACROBLOCK_COUNT / 6);
  }
});

test("uses no sample value that could look like part of a start code", () => {
  expect(Math.min(...paintPicture(123_456))).toBeGreaterThanOrEqual(16);
});
