// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import type { Sample } from "./sample.ts";
import { SelectionError, selectSamples } from "./select-samples.ts";

const samples: readonly Sample[] = [
  { kind: "gauge", name: "server.state", labels: {}, value: 0 },
  { kind: "counter", name: "listener_manager.lds.update_success", labels: {}, value: 3 },
  { kind: "counter", name: "listener_manager.lds.update_rejected", labels: {}, value: 0 },
];
const namesOf = (selected: readonly Sample[]) => selected.map(({ name }) => name);

test("usedonly leaves out counters at zero and keeps gauges, whose zero has a meaning", () => {
  expect(namesOf(selectSamples(samples, { usedOnly: true, filter: undefined }))).toEqual([
    "server.state",
    "listener_manager.lds.update_success",
  ]);
});

test("the filter is found anywhere in the name, as Envoy does it", () => {
  const filter = "^(server\\.state|listener_manager\\.lds\\.update_(success|rejected))$";
  expect(namesOf(selectSamples(samples, { usedOnly: false, filter }))).toHaveLength(3);
  expect(namesOf(selectSamples(samples, { usedOnly: false, filter: "rejected" }))).toEqual([
    "listener_manager.lds.update_rejected",
  ]);
});

test.each([
  ["is not a regular expression", "("],
  ["is too long", "a".repeat(257)],
])("a filter that %s is refused", (_, filter) => {
  expect(() => selectSamples(samples, { usedOnly: false, filter })).toThrow(SelectionError);
});

test("a filter that would backtrack for years is stopped", () => {
  const trap: Sample = { kind: "gauge", name: `${"a".repeat(60)}!`, labels: {}, value: 1 };
  expect(() => selectSamples([trap], { usedOnly: false, filter: "^(a+)+$" })).toThrow(SelectionError);
});
