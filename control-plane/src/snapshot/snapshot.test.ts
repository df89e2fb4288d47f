// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { AnySchema, equals, fromBinary, toBinary, typeUrls } from "@msm/xds-protos";
import { ClusterSchema } from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { ResourceSchema } from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { expect, test } from "vitest";
import { ResourceStore } from "../mesh/resource-store.ts";
import { smallMesh } from "../testing/mesh-yaml.ts";
import { readText } from "../testing/read-text.ts";
import { snapshotOf } from "../testing/test-snapshot.ts";
import { translateCluster } from "../translate/cluster.ts";
import { buildSnapshot } from "./build-snapshot.ts";
import { createEntry } from "./resource-entry.ts";
import { missingReferences, resourcesOf } from "./snapshot.ts";
import { SnapshotCache } from "./snapshot-cache.ts";

const entryOf = (name: string) => createEntry(ClusterSchema, name, translateCluster(name));

test("an entry's version follows its content and nothing else", () => {
  expect(entryOf("a").version).toBe(entryOf("a").version);
  expect(entryOf("a").version).not.toBe(entryOf("b").version);
  expect(entryOf("a").version).toMatch(/^[0-9a-f]{20}$/);
});

test("an entry holds the bytes of both variants of the protocol", () => {
  const entry = entryOf("a");
  const resource = fromBinary(ResourceSchema, entry.deltaBytes);
  const any = fromBinary(AnySchema, entry.anyBytes);
  expect(resource).toMatchObject({ name: "a", version: entry.version });
  expect(equals(AnySchema, any, resource.resource!)).toBe(true);
  expect(any.value).toEqual(toBinary(ClusterSchema, translateCluster("a")));
});

test("a snapshot's version follows its content, not its order", () => {
  expect(snapshotOf({ cds: ["a", "b"] }).version).toBe(snapshotOf({ cds: ["b", "a"] }).version);
  expect(snapshotOf({ cds: ["a", "b"] }).version).not.toBe(snapshotOf({ cds: ["a", "b=2"] }).version);
  expect(snapshotOf({ cds: ["a"] }).version).not.toBe(snapshotOf({ eds: ["a"] }).version);
});

test("78: names the endpoints, cluster and filters that are referred to and missing", () => {
  const { mesh } = new ResourceStore().apply(readText(smallMesh));
  const snapshot = buildSnapshot(mesh, "msm", true);
  expect(missingReferences(snapshot)).toEqual([]);
  const without = (typeUrl: string) =>
    missingReferences({
      ...snapshot,
      types: new Map([...snapshot.types].filter(([type]) => type !== typeUrl)),
    });
  const { cluster, clusterLoadAssignment, typedExtensionConfig } = typeUrls;
  expect(without(clusterLoadAssignment)).toEqual([
    { typeUrl: clusterLoadAssignment, name: "backend/default/viewer" },
  ]);
  expect(without(cluster)).toEqual([{ typeUrl: cluster, name: "backend/default/viewer" }]);
  expect(without(typedExtensionConfig)).toEqual([
    { typeUrl: typedExtensionConfig, name: "rtp-stats/default/camera/video" },
  ]);
});

test("26: the same content again wakes nobody, new content wakes everybody of the group", () => {
  const cache = new SnapshotCache();
  const seen: string[] = [];
  cache.watch("one", (snapshot) => seen.push(`one ${resourcesOf(snapshot, typeUrls.cluster).size}`));
  cache.watch("two", () => seen.push("two"));
  cache.set("one", snapshotOf({ cds: ["a"] }));
  cache.set("one", snapshotOf({ cds: ["a"] }));
  cache.set("one", snapshotOf({ cds: ["a", "b"] }));
  expect(seen).toEqual(["one 1", "one 2"]);
});

test("99: a watch is called at once where there is a snapshot, and no more once it is ended", () => {
  const cache = new SnapshotCache();
  cache.set("one", snapshotOf({}));
  let calls = 0;
  const unwatch = cache.watch("one", () => calls++);
  expect(calls).toBe(1);
  unwatch();
  cache.set("one", snapshotOf({ cds: ["a"] }));
  expect(calls).toBe(1);
});

test("99: a cleared snapshot leaves the watches, which hear of the next one", () => {
  const cache = new SnapshotCache();
  const seen: string[] = [];
  cache.watch("one", ({ version }) => seen.push(version));
  const first = snapshotOf({ cds: ["a"] });
  cache.set("one", first);
  cache.clear("one");
  expect(cache.get("one")).toBeUndefined();
  cache.set("one", first);
  expect(seen).toEqual([first.version, first.version]);
});

test("98: whoever sets or watches from within a watch loses nothing and sees nothing twice or out of order", () => {
  const cache = new SnapshotCache();
  const [first, second] = [snapshotOf({ cds: ["a"] }), snapshotOf({ cds: ["b"] })];
  const seen: string[] = [];
  const name = (version: string): string => (version === first.version ? "first" : "second");
  cache.watch("one", ({ version }) => {
    seen.push(`early ${name(version)}`);
    if (version !== first.version) return;
    cache.watch("one", (snapshot) => seen.push(`late ${name(snapshot.version)}`));
    cache.set("one", second);
  });
  cache.watch("one", ({ version }) => seen.push(`other ${name(version)}`));
  cache.set("one", first);
  expect(seen).toEqual(["early first", "late first", "early second", "other second", "late second"]);
});
