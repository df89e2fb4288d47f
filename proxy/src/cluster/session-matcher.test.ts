// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { SessionMatcher } from "./session-matcher.ts";
import type { SessionCondition } from "./session-rule.ts";
import { hashOf } from "./testing/candidates.ts";
import { remainder64 } from "./xx-hash64.ts";

const client = (address: string, port = 40_000) => ({ address, port });

function holds(when: SessionCondition, address: string, port?: number): boolean {
  const matcher = new SessionMatcher([{ when, cluster: "yes" }], "no");
  return matcher.clusterFor(client(address, port)) === "yes";
}

test("the first rule that holds decides, and where none does the cluster for all others", () => {
  const exact = (value: string): SessionCondition => ({
    kind: "TEXT",
    input: "SOURCE_IP",
    test: "exact",
    value,
  });
  const rules = [
    { when: exact("10.0.0.7"), cluster: "canary" },
    { when: { kind: "NOT", of: exact("10.0.0.8") } as const, cluster: "stable" },
    { when: exact("10.0.0.7"), cluster: "never" },
  ];
  const matcher = new SessionMatcher(rules, "");
  expect(["10.0.0.7", "10.0.0.9", "10.0.0.8"].map((address) => matcher.clusterFor(client(address)))).toEqual([
    "canary",
    "stable",
    "",
  ]);
});

test.each<["exact" | "prefix" | "suffix" | "contains", string, boolean]>([
  ["exact", "10.0.0.7", true],
  ["exact", "10.0.0", false],
  ["prefix", "10.0.", true],
  ["prefix", "0.0.", false],
  ["suffix", ".7", true],
  ["suffix", ".0", false],
  ["contains", "0.0", true],
  ["contains", "8", false],
])("the text of an address is compared: %s %s", (kind, value, expected) => {
  expect(holds({ kind: "TEXT", input: "SOURCE_IP", test: kind, value }, "10.0.0.7")).toBe(expected);
});

test("the port of a client is compared as text", () => {
  const when = { kind: "TEXT", input: "SOURCE_PORT", test: "exact", value: "5004" } as const;
  expect([holds(when, "10.0.0.1", 5004), holds(when, "10.0.0.1", 5005)]).toEqual([true, false]);
});

test("an address is in a range whose first bits it has", () => {
  const when: SessionCondition = {
    kind: "RANGE",
    ranges: [
      { address: "10.1.0.0", prefixLength: 16 },
      { address: "2001:db8::", prefixLength: 32 },
    ],
  };
  const inside = ["10.1.255.255", "2001:db8:ffff::1"].map((address) => holds(when, address));
  const outside = ["10.2.0.0", "2001:db9::1"].map((address) => holds(when, address));
  expect([inside, outside]).toEqual([
    [true, true],
    [false, false],
  ]);
});

test("all, any and not are what they say", () => {
  const text = (value: string): SessionCondition => ({
    kind: "TEXT",
    input: "SOURCE_IP",
    test: "contains",
    value,
  });
  const both = { kind: "ALL", of: [text("1"), text("2")] } as const;
  const either = { kind: "ANY", of: [text("1"), text("2")] } as const;
  expect(
    ["::1", "::2", "::12", "::3"].map((address) => [holds(both, address), holds(either, address)]),
  ).toEqual([
    [false, true],
    [false, true],
    [true, true],
    [false, false],
  ]);
});

test("a fraction takes its share of clients, the same ones each time, and more when it grows", () => {
  const share = (numerator: number): SessionCondition => ({
    ...{ kind: "FRACTION", input: "SOURCE_IP", seed: 0 },
    ...{ numerator, denominator: 10_000 },
  });
  const addresses = Array.from({ length: 20_000 }, (_, n) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);
  const tenth = addresses.filter((address) => holds(share(1000), address));
  const half = new Set(addresses.filter((address) => holds(share(5000), address)));
  expect(Math.abs(tenth.length / addresses.length - 0.1)).toBeLessThan(0.01);
  expect(Math.abs(half.size / addresses.length - 0.5)).toBeLessThan(0.01);
  expect(tenth.every((address) => half.has(address))).toBe(true);
});

test("a fraction is the remainder of Envoy's hash of the text, and another seed takes other clients", () => {
  const remainder = remainder64(hashOf("10.0.0.7"), 100);
  const condition = (numerator: number, seed: number): SessionCondition => ({
    ...{ kind: "FRACTION", input: "SOURCE_IP", seed },
    ...{ numerator, denominator: 100 },
  });
  expect(holds(condition(remainder, 0), "10.0.0.7")).toBe(false);
  expect(holds(condition(remainder + 1, 0), "10.0.0.7")).toBe(true);
  const ports = Array.from({ length: 200 }, (_, port) => port);
  const taken = (seed: number) =>
    ports.filter((port) =>
      holds({ ...condition(50, seed), input: "SOURCE_PORT" } as SessionCondition, "::1", port),
    );
  expect(taken(1)).not.toEqual(taken(2));
});
