// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { typeUrls } from "@msm/xds-protos";
import { expect, test } from "vitest";
import { ControlPlaneState } from "./control-plane-state.ts";
import { buildSnapshot } from "./snapshot/build-snapshot.ts";
import { resourcesOf } from "./snapshot/snapshot.ts";
import { SnapshotCache } from "./snapshot/snapshot-cache.ts";
import { smallMesh } from "./testing/mesh-yaml.ts";
import { readText } from "./testing/read-text.ts";

const codes = (refusals: readonly { readonly code: string }[]): string[] => refusals.map(({ code }) => code);

test("publishes a snapshot for every group", () => {
  const cache = new SnapshotCache();
  new ControlPlaneState(cache).apply(readText(smallMesh));
  const filters = cache
    .groups()
    .map((group) => resourcesOf(cache.get(group)!, typeUrls.typedExtensionConfig).size);
  expect(cache.groups()).toEqual(["mesh", "mesh-envoy"]);
  expect(filters).toEqual([1, 0]);
});

test("79: keeps the previous snapshot, and says so, when the new one does not fit together", () => {
  let loses = false;
  const cache = new SnapshotCache();
  const plane = new ControlPlaneState(cache, (mesh, profile, isComplete) => {
    const whole = buildSnapshot(mesh, profile, isComplete);
    const kept = [...whole.types].filter(([type]) => !loses || type !== typeUrls.cluster);
    return { ...whole, types: new Map(kept) };
  });
  plane.apply(readText(smallMesh));
  const before = cache.get("mesh");
  loses = true;
  const { state } = plane.apply(readText(smallMesh.replace("5004", "5014")));
  expect(codes(state.refusals)).toContain("MSM_MESH_INCONSISTENT");
  expect(cache.get("mesh")).toBe(before);
});

test("counts a refusal as new once, even if its line moves", () => {
  const plane = new ControlPlaneState(new SnapshotCache());
  const bad = smallMesh.replace("5004", "0");
  expect(codes(plane.apply(readText(bad)).fresh)).toContain("MSM_FIELD_VALUE");
  expect(plane.apply(readText(`# a line more\n${bad}`)).fresh).toEqual([]);
});

test("publishes nothing while nothing could be read, and an empty mesh when there is none", () => {
  const cache = new SnapshotCache();
  const plane = new ControlPlaneState(cache);
  plane.apply(readText("kind: ["));
  expect(cache.groups()).toEqual([]);
  plane.apply(readText("# no resources\n"));
  expect(cache.get("mesh")?.types.size).toBe(0);
});
