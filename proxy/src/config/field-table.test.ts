// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { JsonValue } from "@msm/xds-protos";
import { expect, test } from "vitest";
import { fieldTable } from "./field-table.ts";
import { refusal } from "./testdata/read.ts";
import { edsClusterJson } from "./testdata/resources.ts";

const path = fileURLToPath(new URL("../../README.md", import.meta.url));

test("the README's table of fields of clusters is the source's (`vitest run -u` writes it)", async () => {
  const between = /(<!-- cluster-fields:begin -->\n)[\s\S]*(\n<!-- cluster-fields:end -->)/;
  const readme = readFileSync(path, "utf8");
  expect(readme).toMatch(between);
  await expect(readme.replace(between, `$1${fieldTable()}$2`)).toMatchFileSnapshot(path);
});

test.each<[string, JsonValue]>([
  ["lb_subset_config", {}],
  ["transport_socket", { name: "x" }],
  ["max_requests_per_connection", 5],
  ["upstream_bind_config", {}],
  ["lrs_server", { self: {} }],
])("a field of the column `refused` is refused: %s", async (field, value) => {
  expect(fieldTable().split("\n")[2]!.split("|")[4]).toContain(`\`${field}\``);
  const expected = `MSM_CONFIG_UNSUPPORTED_FIELD ${field}`;
  expect(await refusal("cluster", "a", edsClusterJson("a", { [field]: value }))).toBe(expected);
});
