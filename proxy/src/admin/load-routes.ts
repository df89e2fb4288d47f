// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readdir } from "node:fs/promises";
import type { AdminRoute } from "./route.ts";

const FOLDER = new URL("./routes/", import.meta.url);
/** The modules of the folder, as sources or as built, without tests and declarations. */
const MODULE = /^[a-z-]+\.(ts|js)$/;

/** Loads every route of the folder `routes/`, sorted by path. */
export async function loadRoutes(): Promise<readonly AdminRoute[]> {
  const files = (await readdir(FOLDER)).filter((file) => MODULE.test(file));
  const modules = await Promise.all(
    files.map((file) => import(new URL(file, FOLDER).href) as Promise<{ readonly route: AdminRoute }>),
  );
  return modules.map(({ route }) => route).sort((a, b) => (a.path < b.path ? -1 : 1));
}
