// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../clock.ts";
import { keyOf } from "../../refusal.ts";
import {
  backendYaml,
  classYaml,
  filterYaml,
  gatewayYaml,
  smallMesh,
  yamlFile,
} from "../../testing/mesh-yaml.ts";
import { temporaryFolder } from "../../testing/temporary-folder.ts";
import { waitUntil } from "../../testing/wait-until.ts";
import { abiExports, wasmBytes } from "../../testing/wasm-bytes.ts";
import type { SourceUpdate } from "../source.ts";
import { create } from "./index.ts";
import { fileLimits } from "./limits.ts";

const keysOf = (update: SourceUpdate): string[] => update.resources.map(({ id }) => keyOf(id));
const codesOf = (update: SourceUpdate): string[] => update.refusals.map(({ code }) => code);

function sourceOf(config: string, limits = fileLimits) {
  return create({ config, clock: systemClock, limits });
}

/** Reads the source, then collects what its watch says. */
async function watched(config: string) {
  const source = sourceOf(config);
  const updates = [await source.read()];
  const aborting = new AbortController();
  onTestFinished(() => aborting.abort());
  source.watch((update) => updates.push(update), aborting.signal);
  return { updates, newest: () => updates.at(-1)! };
}

test("reads one file with several documents, each with its line", async () => {
  const file = join(temporaryFolder(onTestFinished), "mesh.yaml");
  writeFileSync(file, yamlFile(classYaml, backendYaml()));
  const update = await sourceOf(file).read();
  expect(keysOf(update)).toEqual(["GatewayClass/msm", "Backend/default/viewer"]);
  expect(update.resources[1]!.locate(["spec", "endpoints", 0, "port"])).toEqual({ line: 13, column: 7 });
  expect(update.isComplete).toBe(true);
});

test("reads the YAML and JSON files of a folder, not hidden or other ones", async () => {
  const folder = temporaryFolder(onTestFinished);
  writeFileSync(join(folder, "b.yml"), backendYaml({ name: "b" }));
  writeFileSync(join(folder, "a.json"), JSON.stringify({ kind: "List", apiVersion: "v1", items: [] }));
  writeFileSync(join(folder, ".c.yaml"), backendYaml({ name: "c" }));
  writeFileSync(join(folder, "notes.txt"), "remember");
  mkdirSync(join(folder, "d.yaml"));
  const update = await sourceOf(folder).read();
  expect(keysOf(update)).toEqual(["Backend/default/b"]);
  expect(codesOf(update)).toEqual(["MSM_FILE_UNREADABLE"]);
});

test("fails when the path does not exist, for then there is nothing to serve", async () => {
  await expect(sourceOf(join(temporaryFolder(onTestFinished), "absent.yaml")).read()).rejects.toThrow(
    "MSM_FILE_UNREADABLE",
  );
});

test("refuses a file over the limit", async () => {
  const file = join(temporaryFolder(onTestFinished), "mesh.yaml");
  writeFileSync(file, `# ${"x".repeat(2000)}\n`);
  const update = await sourceOf(file, { ...fileLimits, maxFileBytes: 1000 }).read();
  expect(codesOf(update)).toEqual(["MSM_FILE_TOO_LARGE"]);
  expect(update.isComplete).toBe(false);
});

test("takes nothing of a change that goes over the number of resources", async () => {
  const file = join(temporaryFolder(onTestFinished), "mesh.yaml");
  writeFileSync(file, yamlFile(backendYaml(), classYaml));
  const source = sourceOf(file, { ...fileLimits, maxResources: 2 });
  await source.read();
  writeFileSync(file, yamlFile(backendYaml({ name: "a" }), backendYaml({ name: "b" }), classYaml));
  const update = await source.read();
  expect(keysOf(update)).toEqual(["Backend/default/viewer", "GatewayClass/msm"]);
  expect(codesOf(update)).toEqual(["MSM_FILE_TOO_MANY_RESOURCES"]);
});

test("keeps the resources of a file that cannot be parsed any more, and of no other", async () => {
  const folder = temporaryFolder(onTestFinished);
  writeFileSync(join(folder, "a.yaml"), backendYaml({ name: "a" }));
  writeFileSync(join(folder, "b.yaml"), backendYaml({ name: "b" }));
  const source = sourceOf(folder);
  await source.read();
  writeFileSync(join(folder, "a.yaml"), "kind: [");
  writeFileSync(join(folder, "b.yaml"), "# nothing left\n");
  const update = await source.read();
  expect(keysOf(update)).toEqual(["Backend/default/a"]);
  expect(codesOf(update)).toEqual(["MSM_YAML_SYNTAX"]);
  expect(update.isComplete).toBe(true);
});

test("keeps the resources of a file that is emptied, as by an editor in the middle of saving", async () => {
  const file = join(temporaryFolder(onTestFinished), "mesh.yaml");
  writeFileSync(file, smallMesh);
  const source = sourceOf(file);
  await source.read();
  writeFileSync(file, "");
  const update = await source.read();
  expect(keysOf(update)).toHaveLength(4);
  expect(codesOf(update)).toEqual(["MSM_FILE_EMPTY"]);
});

test("does not take a resource for deleted while a kind in its file is misspelt", async () => {
  const file = join(temporaryFolder(onTestFinished), "mesh.yaml");
  writeFileSync(file, yamlFile(classYaml, backendYaml()));
  const source = sourceOf(file);
  await source.read();
  writeFileSync(file, yamlFile(classYaml, backendYaml().replace("kind: Backend", "kind: Bakend")));
  const update = await source.read();
  expect(keysOf(update)).toEqual(["GatewayClass/msm", "Backend/default/viewer"]);
  expect(update.refusals[0]?.message).toContain('Did you mean "Backend"?');
});

test("sees a change, a file that replaces another by renaming, and a deletion", async () => {
  const folder = temporaryFolder(onTestFinished);
  writeFileSync(join(folder, "a.yaml"), backendYaml({ name: "a" }));
  const { newest } = await watched(folder);
  writeFileSync(join(folder, "a.yaml"), backendYaml({ name: "changed" }));
  await waitUntil(() => keysOf(newest())[0] === "Backend/default/changed");
  writeFileSync(join(folder, "a.yaml~"), backendYaml({ name: "renamed" }));
  renameSync(join(folder, "a.yaml~"), join(folder, "a.yaml"));
  await waitUntil(() => keysOf(newest())[0] === "Backend/default/renamed");
  rmSync(join(folder, "a.yaml"));
  await waitUntil(() => keysOf(newest()).length === 0);
});

test("keeps everything while the path itself is away, and says so", async () => {
  const file = join(temporaryFolder(onTestFinished), "mesh.yaml");
  writeFileSync(file, smallMesh);
  const { newest } = await watched(file);
  rmSync(file);
  await waitUntil(() => codesOf(newest()).includes("MSM_FILE_UNREADABLE"));
  expect(keysOf(newest())).toHaveLength(4);
  writeFileSync(file, classYaml);
  await waitUntil(() => keysOf(newest()).length === 1);
});

test("keeps the very resources of a file that is written again with the same content", async () => {
  const file = join(temporaryFolder(onTestFinished), "mesh.yaml");
  writeFileSync(file, smallMesh);
  const source = sourceOf(file);
  const before = await source.read();
  writeFileSync(file, smallMesh);
  const after = await source.read();
  expect(after.resources[0]).toBe(before.resources[0]);
});

test("reads a filter's module beside the YAML file, with digest and exports, and follows it", async () => {
  const folder = temporaryFolder(onTestFinished);
  const bytes = wasmBytes(abiExports);
  writeFileSync(join(folder, "mesh.yaml"), filterYaml({ more: "file: ./filter.wasm" }));
  writeFileSync(join(folder, "filter.wasm"), bytes);
  const { updates, newest } = await watched(join(folder, "mesh.yaml"));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  expect(updates[0]!.resources[0]!.module).toMatchObject({ sha256, exports: abiExports });
  writeFileSync(join(folder, "filter.wasm"), "no module");
  const module = await waitUntil(() => updates.length > 1 && newest().resources[0]!.module);
  expect(module).toMatchObject({ code: "MSM_FILTER_NOT_WASM" });
});

test.each([
  ["MSM_FILTER_UNREADABLE", undefined],
  ["MSM_FILTER_NOT_WASM", Buffer.from("\0asm that goes on as text")],
  ["MSM_FILTER_TOO_LARGE", Buffer.alloc(101)],
])("refuses a module with %s", async (code, bytes) => {
  const folder = temporaryFolder(onTestFinished);
  writeFileSync(
    join(folder, "mesh.yaml"),
    yamlFile(gatewayYaml(), filterYaml({ more: "file: filter.wasm" })),
  );
  if (bytes !== undefined) writeFileSync(join(folder, "filter.wasm"), bytes);
  const update = await sourceOf(folder, { ...fileLimits, maxModuleBytes: 100 }).read();
  expect(update.resources[1]!.module).toMatchObject({ code });
});

test("reads only the files that changed, and hands over what it did not read again as the same objects", async () => {
  const folder = temporaryFolder(onTestFinished);
  writeFileSync(join(folder, "filter.wasm"), wasmBytes(abiExports));
  writeFileSync(
    join(folder, "a.yaml"),
    yamlFile(backendYaml({ name: "a" }), filterYaml({ more: "file: filter.wasm" })),
  );
  writeFileSync(join(folder, "b.yaml"), backendYaml({ name: "b" }));
  const { updates, newest } = await watched(folder);
  writeFileSync(join(folder, "b.yaml"), backendYaml({ name: "b", port: 7000 }));
  await waitUntil(() => updates.length > 1);
  const [backend, filter, changed] = newest().resources;
  expect(backend).toBe(updates[0]!.resources[0]);
  expect(filter).toBe(updates[0]!.resources[1]);
  expect(changed).not.toBe(updates[0]!.resources[2]);
});
