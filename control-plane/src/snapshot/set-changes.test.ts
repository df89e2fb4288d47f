// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { typeUrls } from "@msm/xds-protos";
import { expect, test } from "vitest";
import { snapshotOf } from "../testing/test-snapshot.ts";
import { changesBetween, NO_CHANGES } from "./set-changes.ts";
import { resourcesOf } from "./snapshot.ts";
import { updateSnapshot } from "./update-snapshot.ts";

test("changes are what was added, what has another content and what is gone, and are found once", () => {
  const before = snapshotOf({ cds: ["same", "other=1", "gone"] });
  const after = snapshotOf({ cds: ["same", "other=2", "new"] });
  const [from, to] = [resourcesOf(before, typeUrls.cluster), resourcesOf(after, typeUrls.cluster)];
  const changes = changesBetween(from, to);
  expect(changes.upserts.map(({ name }) => name)).toEqual(["other", "new"]);
  expect(changes.removals).toEqual(["gone"]);
  expect(changesBetween(from, to)).toBe(changes);
  expect(changesBetween(to, to)).toBe(NO_CHANGES);
});

test("an updated snapshot is the one that its resources would make, and shares what it does not touch", () => {
  const before = snapshotOf({ cds: ["a=1", "b"], lds: ["l"] });
  const upserts = resourcesOf(snapshotOf({ cds: ["a=2", "c"] }), typeUrls.cluster).values();
  const after = updateSnapshot(before, upserts, [{ typeUrl: typeUrls.cluster, name: "b" }]);
  expect(after.version).toBe(snapshotOf({ cds: ["a=2", "c"], lds: ["l"] }).version);
  expect(resourcesOf(after, typeUrls.listener)).toBe(resourcesOf(before, typeUrls.listener));
  expect([...resourcesOf(before, typeUrls.cluster).keys()]).toEqual(["a", "b"]);
});
