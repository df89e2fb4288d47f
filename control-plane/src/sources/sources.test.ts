// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { loadSource } from "./load-source.ts";

const folders = readdirSync(new URL(".", import.meta.url), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

test.each(folders)("the source %s can be created by its name", async (name) => {
  const source = await loadSource(name, { config: "/nowhere", clock: systemClock });
  expect(source.read).toBeTypeOf("function");
  expect(source.watch).toBeTypeOf("function");
});

test.each(["../file", "file/", "File", "", "file.ts"])(
  "refuses %j, which is no folder's name",
  async (name) => {
    await expect(loadSource(name, { config: "/nowhere", clock: systemClock })).rejects.toThrow(
      "cannot be the name of a source",
    );
  },
);

test("says which source there is when one is unknown", async () => {
  const loading = loadSource("floppy", { config: "/nowhere", clock: systemClock });
  await expect(loading).rejects.toThrow('there is no source "floppy"; "file" is one');
});
