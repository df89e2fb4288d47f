// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { backendYaml, gatewayYaml, yamlFile } from "../testing/mesh-yaml.ts";
import { readText } from "../testing/read-text.ts";
import type { Mesh } from "./mesh.ts";
import { MeshMemo } from "./mesh-memo.ts";
import { ResourceStore } from "./resource-store.ts";

const store = new ResourceStore();
const meshWith = (...ports: readonly number[]): Mesh =>
  store.apply(
    readText(
      yamlFile("# A mesh.\n", ...ports.map((port, index) => backendYaml({ name: `b${index}`, port }))),
    ),
  ).mesh;
const portOf = (mesh: Mesh, name: string) => mesh.Backend.get(`Backend/default/${name}`)?.endpoints[0]?.port;
const owner = {};

test("a function runs again when something that it asked for has changed, and only then", () => {
  const memo = new MeshMemo<readonly unknown[]>();
  const ask = (mesh: Mesh) =>
    memo.get(owner, "", mesh, (from) => [portOf(from, "b0"), from.Backend.has("Backend/default/b2")]);
  const first = ask(meshWith(1, 2));
  expect(first).toEqual([1, false]);
  expect(ask(meshWith(1, 3))).toBe(first);
  expect(ask(meshWith(4, 3))).toEqual([4, false]);
  expect(ask(meshWith(4, 3, 5))).toEqual([4, true]);
});

test("a function that looked at all of a kind runs again when any of it has changed", () => {
  const memo = new MeshMemo<number>();
  const count = (mesh: Mesh) => memo.get(owner, "", mesh, (from) => from.Backend.values().length);
  expect(count(meshWith(1))).toBe(1);
  expect(count(meshWith(1, 2))).toBe(2);
});

test("what a memo inside another relies on, the outer one relies on, too", () => {
  const inner = new MeshMemo<number | undefined>();
  const outer = new MeshMemo<{ readonly port: number | undefined }>();
  const ask = (mesh: Mesh) =>
    outer.get(owner, "", mesh, (whole) => ({
      port: inner.get(owner, "", whole, (from) => portOf(from, "b0")),
    }));
  const before = meshWith(1, 2);
  inner.get(owner, "", before, (from) => portOf(from, "b0"));
  const first = ask(before);
  expect(ask(meshWith(1, 3))).toBe(first);
  expect(ask(meshWith(4, 3))).toEqual({ port: 4 });
});

test("one that notes kinds runs again when anything of a kind that it read has changed", () => {
  const memo = new MeshMemo<{ readonly port: number | undefined }>("kind");
  const ask = (mesh: Mesh) => memo.get(owner, "", mesh, (from) => ({ port: portOf(from, "b0") }));
  const first = ask(meshWith(1, 2));
  const text = yamlFile(
    backendYaml({ name: "b0", port: 1 }),
    backendYaml({ name: "b1", port: 2 }),
    gatewayYaml(),
  );
  expect(ask(store.apply(readText(text)).mesh)).toBe(first);
  expect(ask(meshWith(1, 3))).not.toBe(first);
});
