// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { encodeMuLaw, pcmuTone, SAMPLES_PER_PACKET } from "./pcmu-tone.ts";

test("encodes the end points and decision values of G.711 table 2a", () => {
  expect([0, 32_767, -32_768, 8_159 * 4, 4, -4].map(encodeMuLaw)).toEqual([
    0xff, 0x80, 0x00, 0x80, 0xfe, 0x7e,
  ]);
});

test("keeps within half a step of the sample when decoded", () => {
  for (let sample = -32_000; sample <= 32_000; sample += 37) {
    const error = Math.abs(decodeMuLaw(encodeMuLaw(sample)) - sample);
    expect(error).toBeLessThanOrEqual(Math.max(4, Math.abs(sample) / 16));
  }
});

test("gives 20 ms a packet and repeats after five packets", () => {
  expect(pcmuTone(0)).toHaveLength(SAMPLES_PER_PACKET);
  expect(pcmuTone(5)).toEqual(pcmuTone(0));
  expect(pcmuTone(1)).not.toEqual(pcmuTone(0));
});

test("has 440 waves in a second", () => {
  const samples = Array.from({ length: 50 }, (_, index) => [...pcmuTone(index)].map(decodeMuLaw)).flat();
  const rising = samples.filter((sample, at) => at > 0 && samples[at - 1]! < 0 && sample >= 0).length;
  expect(Math.abs(rising - 440)).toBeLessThanOrEqual(1);
});

function decodeMuLaw(code: number): number {
  const bits = ~code & 0xff;
  const magnitude = ((((bits & 0x0f) << 3) + 132) << ((bits >> 4) & 7)) - 132;
  return (bits & 0x80) !== 0 ? -magnitude : magnitude;
}
