// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { protoClosure } from "./proto-closure.mjs";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "closure-"));
  mkdirSync(join(root, "x/y"), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, ...imports: readonly string[]): void {
  writeFileSync(join(root, path), imports.map((imported) => `import ${imported};\n`).join(""));
}

test("takes along what the entries import, and what that imports, and nothing else", () => {
  write("x/a.proto", '"x/b.proto"');
  write("x/b.proto", 'public "x/y/c.proto"', '"google/protobuf/any.proto"');
  write("x/y/c.proto", '"x/a.proto"');
  write("x/d.proto");
  expect([...protoClosure([root], ["x/a.proto"]).keys()]).toEqual(["x/a.proto", "x/b.proto", "x/y/c.proto"]);
});

test("takes every proto below an entry that ends in a slash", () => {
  write("x/a.proto");
  write("x/y/c.proto");
  expect([...protoClosure([root], ["x/"]).keys()]).toEqual(["x/a.proto", "x/y/c.proto"]);
});

test("names the importer of a proto that is nowhere", () => {
  write("x/a.proto", '"x/gone.proto"');
  expect(() => protoClosure([root], ["x/a.proto"])).toThrow(
    /^MSM_PROTOS_MISSING: x\/gone\.proto: named by x\/a\.proto/,
  );
});

test("refuses an entry folder without protos", () => {
  expect(() => protoClosure([root], ["x/y/"])).toThrow(/^MSM_PROTOS_MISSING: x\/y\/: holds no \.proto file/);
});
