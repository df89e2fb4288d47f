// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { ResourceStore } from "../mesh/resource-store.ts";
import { backendYaml, rtspMesh, yamlFile } from "../testing/mesh-yaml.ts";
import { readText } from "../testing/read-text.ts";
import { resolvedRefsCondition } from "./resolved-refs.ts";

function conditionOf(text: string, kind: string) {
  const { statuses } = new ResourceStore().apply(readText(text));
  return resolvedRefsCondition(statuses.find(({ id }) => id.kind === kind)!);
}

test("says of a route that its backends are there", () => {
  expect(conditionOf(rtspMesh, "RTSPRoute")).toMatchObject([{ type: "ResolvedRefs", status: "True" }]);
});

test("says which backend a route lacks, in the words of the Gateway API", () => {
  expect(conditionOf(rtspMesh.replace(backendYaml(), "# gone\n"), "RTSPRoute")).toMatchObject([
    { status: "False", reason: "BackendNotFound", message: expect.stringContaining("backendRefs[0].name") },
  ]);
});

test("says nothing of resources that refer to no backend", () => {
  expect(conditionOf(yamlFile(rtspMesh), "Gateway")).toEqual([]);
});
