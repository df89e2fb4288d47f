// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { workerEntry as builtModule } from "../../worker/worker-entry.ts";
import type { AdminRoute } from "../route.ts";
import { page } from "../view/page.ts";

/** The modules that the page loads, by their place beside this folder; a browser reads them as they were built. */
const MODULES = ["show-view", "draw-view", "view-model"] as const;

/** A picture of every stream with its sources and receivers, for people. */
export const routes: readonly AdminRoute[] = [
  {
    path: "/view",
    method: "GET",
    summary: "A page for the browser: each stream with its sources and receivers, rates, loss and jitter.",
    handle: () => ({ contentType: "text/html; charset=utf-8", body: page }),
  },
  ...MODULES.map(
    (name): AdminRoute => ({
      path: `/view/${name}.js`,
      method: "GET",
      summary: "",
      handle: async () => ({
        contentType: "text/javascript; charset=utf-8",
        body: await readFile(builtModule(import.meta.url, `../view/${name}`), "utf8"),
      }),
    }),
  ),
];
