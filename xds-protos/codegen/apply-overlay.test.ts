// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { applyOverlay } from "./apply-overlay.mjs";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "overlay-"));
  writeFileSync(join(dir, "a.proto"), "message A {\n  string name = 1;\n}\n");
});
afterEach(() => rmSync(dir, { recursive: true }));

test("inserts right after the anchor and leaves the rest alone", () => {
  applyOverlay(dir, [{ file: "a.proto", anchor: "string name = 1;", insert: "\n  string also = 2;" }]);
  expect(readFileSync(join(dir, "a.proto"), "utf8")).toBe(
    "message A {\n  string name = 1;\n  string also = 2;\n}\n",
  );
});

test("refuses an anchor that is not there, naming the file and the anchor", () => {
  const overlay = [{ file: "a.proto", anchor: "string title = 1;", insert: "" }];
  expect(() => applyOverlay(dir, overlay)).toThrow(
    /^MSM_PROTOS_OVERLAY_ANCHOR: a\.proto: the anchor "string title = 1;" occurs 0 times/,
  );
});

test("refuses an anchor that occurs twice", () => {
  writeFileSync(join(dir, "a.proto"), "bool x = 1;\nbool x = 1;\n");
  const overlay = [{ file: "a.proto", anchor: "bool x = 1;", insert: "" }];
  expect(() => applyOverlay(dir, overlay)).toThrow(/occurs 2 times/);
});
