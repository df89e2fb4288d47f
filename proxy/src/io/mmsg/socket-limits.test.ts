// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { readSocketLimits, socketLimits } from "./socket-limits.ts";

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max processes             96000                96000                processes
Max open files            16000                20000                files
`;

test("sessions leave some of the files and ports that there are", () => {
  const limits = socketLimits(LIMITS, "32768\t60999\n");
  expect(limits).toEqual({ ownBelow: 14_000, sharedBelow: 15_000, mostOwn: 24_703 });
});

test("however few files there may be, some are left for other things", () => {
  expect(socketLimits(LIMITS.replace("16000", "100"), "")).toMatchObject({ ownBelow: 52, sharedBelow: 68 });
});

test("what the system does not tell bounds nothing that it would not bound itself", () => {
  const unlimited = "Max open files            unlimited            unlimited            files\n";
  for (const limits of ["", unlimited]) {
    expect(socketLimits(limits, "").ownBelow).toBeGreaterThan(2 ** 30);
    expect(socketLimits(limits, "").mostOwn).toBeGreaterThan(65_536);
  }
});

test.runIf(process.platform === "linux")("Linux tells both", () => {
  expect(Object.values(readSocketLimits()).every((limit) => limit > 0 && limit < 2 ** 30)).toBe(true);
});
