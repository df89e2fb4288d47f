// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Continue, Drop, FilterHarness } from "@msm/filter-sdk/testing";
import fc from "fast-check";
import { expect, test } from "vitest";

test("a session's key is the identifier, as a number in the order of bytes", async () => {
  const filter = await FilterHarness.load("session-key", { offset: 1, length: 4 });
  expect(filter.stages).toEqual(["LISTENER"]);
  const { actions, keys } = filter.run([Uint8Array.of(9, 1, 2, 3, 4, 5), Uint8Array.of(8, 1, 2, 3, 4)]);
  expect(actions).toEqual([Continue, Continue]);
  expect(keys).toEqual([0x04030201n, 0x04030201n]);
});

test("what is too short keeps the session of its address, or is dropped where that is wanted", async () => {
  const short = [new Uint8Array(7)];
  const tolerant = await FilterHarness.load("session-key");
  expect(tolerant.run(short)).toMatchObject({ actions: [Continue], keys: [undefined] });
  const strict = await FilterHarness.load("session-key", { dropShort: true });
  expect(strict.run(short).actions).toEqual([Drop]);
  expect(strict.metric('msm_filter_dropped_total{reason="too_short"}')).toBe(1);
});

test("wherever the identifier stands, equal ones make equal keys and others do not", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(1_400),
      fc.integer({ min: 1, max: 8 }),
      fc.uint8Array({ minLength: 8, maxLength: 8 }),
      async (offset, length, identifier) => {
        const filter = await FilterHarness.load("session-key", { offset, length });
        const datagram = new Uint8Array(offset + 8);
        datagram.set(identifier, offset);
        const other = datagram.slice();
        other[offset + length - 1]! ^= 1;
        const { keys } = filter.run([datagram, datagram, other]);
        const number = identifier
          .subarray(0, length)
          .reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
        expect(keys).toEqual([number, number, number ^ (1n << BigInt(8 * (length - 1)))]);
      },
    ),
    { numRuns: 20 },
  );
});

test.each([
  [{ offset: -1 }, "from 0 to 65507"],
  [{ length: 9 }, "from 1 to 8"],
  [{ lenght: 4 }, "unknown field lenght"],
])("refuses %o and says why", async (config, problem) => {
  await expect(FilterHarness.load("session-key", config)).rejects.toThrow(problem);
});
