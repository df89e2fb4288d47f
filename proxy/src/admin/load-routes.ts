// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readdir } from "node:fs/promises";
import type { AdminRoute } from "./route.ts";

const FOLDER = new URL("./routes/", import.meta.url);
/** The modules of the folder, as sources or as built, without tests and declarations. */
const MODULE = /^[a-z-]+\.(ts|js)$/;

/** A file of the folder: one path, or several that belong together. */
type RouteModule = { readonly route: AdminRoute } | { readonly routes: readonly AdminRoute[] };

/** Loads every route of the folder `routes/`, sorted by path. */
export async function loadRoutes(): Promise<readonly AdminRoute[]> {
  const files = (await readdir(FOLDER)).filter((file) => MODULE.test(file));
  const modules = await Promise.all(
    files.map((file) => import(new URL(file, FOLDER).href) as Promise<RouteModule>),
  );
  const routes = modules.flatMap((module) => ("routes" in module ? module.routes : [module.route]));
  return routes.sort((a, b) => (a.path < b.path ? -1 : 1));
}
