// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const FROM = /^(?:import|export) (?!type )[^;]*? from "([^"]+)";/gms;

/** The packages that a module and all that it imports need as it is loaded. */
function packagesOf(module: URL, seen: Set<string>): Set<string> {
  const packages = new Set<string>();
  if (seen.has(module.href)) return packages;
  seen.add(module.href);
  for (const [, from = ""] of readFileSync(module, "utf8").matchAll(FROM)) {
    if (!from.startsWith(".")) packages.add(from);
    else for (const each of packagesOf(new URL(from, module), seen)) packages.add(each);
  }
  return packages;
}

test("a signalling worker loads no gRPC: a port whose worker died waits for that", () => {
  const packages = packagesOf(new URL("signalling-worker.ts", import.meta.url), new Set());
  expect(packages).toContain("@msm/xds-protos/messages");
  expect([...packages].filter((name) => ["@msm/xds-protos", "@grpc/grpc-js"].includes(name))).toEqual([]);
});
