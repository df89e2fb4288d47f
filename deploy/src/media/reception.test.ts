// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { expect, test } from "vitest";
import { Reception } from "./reception.ts";

/** Feeds packets 20 ms apart on an 8 kHz clock. */
function receive(sequenceNumbers: readonly number[]): Reception {
  const reception = new Reception(8000);
  for (const [index, sequenceNumber] of sequenceNumbers.entries()) {
    reception.add(sequenceNumber, index * 160, index * 20);
  }
  return reception;
}

test("counts what is missing across the wrap of the sequence number", () => {
  expect(receive([65_533, 65_535, 0, 3]).counts).toMatchObject({ received: 4, lost: 3, reordered: 0 });
});

test("makes up for a loss when the packet comes late and tells duplicates", () => {
  expect(receive([1, 3, 2, 4, 4]).counts).toMatchObject({
    received: 5,
    lost: -1,
    reordered: 1,
    duplicated: 1,
  });
});

test("follows a sender that begins anew after two consecutive numbers", () => {
  const { received, lost, restarts } = receive([1, 2, 30_000, 30_001, 30_002]).counts;
  expect({ received, lost, restarts }).toEqual({ received: 4, lost: 0, restarts: 1 });
});

test("reports the fraction lost since the report before", () => {
  const reception = receive([0, 1, 3]);
  expect(reception.takeReport().fractionLost).toBe(64);
  expect(reception.takeReport().fractionLost).toBe(0);
});

test("finds no jitter in a steady stream and nears the mean deviation of an unsteady one", () => {
  expect(receive([0, 1, 2, 3]).counts.jitterMs).toBe(0);
  const unsteady = new Reception(90_000);
  for (let index = 0; index < 1000; index++) unsteady.add(index, index * 900, index * 10 + (index % 2) * 3);
  expect(unsteady.counts.jitterMs).toBeCloseTo(3, 3);
});

test("loses exactly the packets that were taken out between the first and the last", () => {
  const plan = fc.tuple(fc.nat(65_535), fc.array(fc.boolean(), { minLength: 1, maxLength: 500 }));
  fc.assert(
    fc.property(plan, ([first, isKept]) => {
      const offsets = [0, ...isKept.flatMap((kept, index) => (kept ? [index + 1] : [])), isKept.length + 1];
      const { received, lost } = receive(offsets.map((offset) => (first + offset) & 0xffff)).counts;
      expect(received).toBe(offsets.length);
      expect(lost).toBe(isKept.length + 2 - offsets.length);
    }),
  );
});
