// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadRoutes } from "./load-routes.ts";

const routes = await loadRoutes();

test("each module of the folder is a route with a path of its own", () => {
  const modules = readdirSync(new URL("./routes/", import.meta.url)).filter((file) =>
    /^[a-z-]+\.ts$/.test(file),
  );
  expect(new Set(routes.map(({ path }) => path)).size).toBe(modules.length);
});

test("the README has a row for each route", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  for (const { path, method, summary } of routes)
    expect(readme).toContain(`| ${method} \`${path}\` | ${summary} |`);
});
