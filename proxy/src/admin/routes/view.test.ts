// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import type { AdminContext } from "../route.ts";
import { routes } from "./view.ts";

/** What is served at a path; undefined where nothing is. */
async function bodyOf(path: string): Promise<string | undefined> {
  const route = routes.find((candidate) => candidate.path === path);
  // The page is the same whatever the proxy does.
  const reply = await route?.handle({ query: new URLSearchParams(), context: {} as AdminContext, routes });
  return reply?.body;
}

test("/view is a page whose modules are all served, and that may load nothing from elsewhere", async () => {
  const text = await bodyOf("/view");
  expect(text).toContain("default-src 'none'");
  const seen = new Set(["/view/show-view.js"]);
  expect(text).toContain([...seen][0]);
  for (const path of seen) {
    const module = await bodyOf(path);
    expect(module).toBeDefined();
    for (const [, name] of module?.matchAll(/from "\.\/(.+?)"/g) ?? []) seen.add(`/view/${name}`);
  }
  expect([...seen].sort()).toEqual(["/view/draw-view.js", "/view/show-view.js", "/view/view-model.js"]);
});
