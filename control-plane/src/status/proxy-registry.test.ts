// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { create, typeUrls } from "@msm/xds-protos";
import { NodeSchema } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import { expect, test } from "vitest";
import type { ResourceEntry } from "../snapshot/resource-entry.ts";
import { resourcesOf } from "../snapshot/snapshot.ts";
import { snapshotOf } from "../testing/test-snapshot.ts";
import { programmedCondition } from "./programming.ts";
import { ProxyRegistry } from "./proxy-registry.ts";

const stream = { id: 1, nodeId: "n1", group: "mesh", variant: "delta", peer: "127.0.0.1:1" } as const;
const type = typeUrls.listener;

function entriesOf(...names: string[]): readonly ResourceEntry[] {
  return [...resourcesOf(snapshotOf({ lds: names }), type).values()];
}

/** A registry with one proxy that was sent these entries. */
function sentTo(entries: readonly ResourceEntry[], removed: readonly string[] = []) {
  const registry = new ProxyRegistry();
  registry.opened(stream, create(NodeSchema, { id: "n1" }));
  registry.sent(stream, { typeUrl: type, nonce: "1", version: "v1", entries, removed });
  return registry;
}

const states = (registry: ProxyRegistry, entries: readonly ResourceEntry[]): string[] =>
  registry.outcomes("mesh", entries).map(({ state }) => state);

test("what was sent is pending until the proxy accepts it", () => {
  const entries = entriesOf("a");
  const registry = sentTo(entries);
  expect(states(registry, entries)).toEqual(["pending"]);
  registry.accepted(stream, type, "1", entries);
  expect(states(registry, entries)).toEqual(["accepted"]);
  expect(states(registry, entriesOf("a=2"))).toEqual(["pending"]);
});

test("a refusal concerns the resources that it names, not those whose names merely begin alike", () => {
  const entries = entriesOf("g/video", "g/video-rtcp", "g/audio");
  const registry = sentTo(entries);
  registry.refused(
    stream,
    type,
    "1",
    entries,
    "g/video-rtcp: CODE: port: taken\ng/audio: CODE: port: taken too",
  );
  expect(registry.outcomes("mesh", entries)).toEqual([
    { state: "accepted" },
    { state: "refused", nodeId: "n1", error: "g/video-rtcp: CODE: port: taken" },
    { state: "refused", nodeId: "n1", error: "g/audio: CODE: port: taken too" },
  ]);
});

test("a refusal that names nothing concerns everything that was sent", () => {
  const entries = entriesOf("a", "b");
  const registry = sentTo(entries);
  registry.refused(stream, type, "1", entries, "no");
  expect(states(registry, entries)).toEqual(["refused", "refused"]);
});

test("tells how far a proxy is with each type", () => {
  const entries = entriesOf("a");
  const registry = sentTo(entries);
  const sync = () => registry.sync()[0]?.types[type];
  expect(sync()).toEqual({ sent: "v1", acked: "", error: "", status: "STALE" });
  registry.refused(stream, type, "1", entries, "no");
  expect(sync()).toEqual({ sent: "v1", acked: "", error: "no", status: "ERROR" });
  registry.sent(stream, { typeUrl: type, nonce: "2", version: "v2", entries, removed: [] });
  registry.accepted(stream, type, "2", entries);
  expect(sync()).toEqual({ sent: "v2", acked: "v2", error: "", status: "SYNCED" });
});

test("forgets a proxy that left, and asks only those of the group", () => {
  const entries = entriesOf("a");
  const registry = sentTo(entries);
  expect(registry.outcomes("other", entries)).toEqual([]);
  registry.closed(stream);
  expect(registry.size).toBe(0);
  expect(registry.outcomes("mesh", entries)).toEqual([]);
});

test.each([
  [0, [], "Unknown", "NothingToProgram"],
  [1, [], "Unknown", "NoProxy"],
  [1, [{ state: "accepted" }, { state: "pending" }], "Unknown", "Pending"],
  [1, [{ state: "accepted" }], "True", "Programmed"],
  [2, [{ state: "pending" }, { state: "refused", nodeId: "n", error: "e" }], "False", "RefusedByProxy"],
] as const)("sums up %d entries and %j as %s, %s", (count, outcomes, status, reason) => {
  expect(programmedCondition(count, outcomes)).toMatchObject({ type: "Programmed", status, reason });
});
