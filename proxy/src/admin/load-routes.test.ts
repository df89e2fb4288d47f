// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadRoutes } from "./load-routes.ts";

const routes = await loadRoutes();

test("each module of the folder has a path of its own, and no path is there twice", () => {
  const names = new Set(routes.map(({ path }) => path.slice(1).replaceAll(/[/_]/g, "-") || "home"));
  expect(names.size).toBe(routes.length);
  for (const file of readdirSync(new URL("./routes/", import.meta.url))) {
    if (/^[a-z-]+\.ts$/.test(file)) expect(names).toContain(file.slice(0, -3));
  }
});

test("the README has a row for each route", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  for (const { path, method, summary } of routes.filter((route) => route.summary !== ""))
    expect(readme).toContain(`| ${method} \`${path}\` | ${summary} |`);
});
