// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { readFile } from "node:fs/promises";
import path from "node:path";

const SOURCE = "filter.js";

/** Filters in JavaScript, which the proxy runs in an engine of its own. There is nothing to compile. */
/** @type {import("../language.ts").Language} */
export const language = {
  name: "js",
  source: SOURCE,
  suffix: ".js",
  missing: async () => null,
  inputs: async (folder) => ({ version: "", files: [path.join(folder, SOURCE)] }),
  compile: (folder) => readFile(path.join(folder, SOURCE)),
};
