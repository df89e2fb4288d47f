// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import asc, { version } from "assemblyscript/asc";

/** The AssemblyScript side of the SDK; the same relative path from `testing` and from `dist`. */
const SDK_SOURCES = fileURLToPath(new URL("../../assembly", import.meta.url));

const FLAGS = [
  "--noAssert",
  // A failed check ends the instance; there is nobody to tell.
  ...["--use", "abort="],
  // The entry point that Proxy-Wasm calls: before it, host calls could not reach the memory.
  ...["--exportStart", "_initialize"],
];

/** For filters of datagrams, which allocate when they are configured and never free. Others say theirs in `asconfig.json`. */
const DATAGRAM_FLAGS = ["-O3", "--runtime", "stub"];

/** The compiler's own file of options, where a filter differs. */
const OWN_OPTIONS = "asconfig.json";

/** Filters in AssemblyScript. Its compiler comes with the project. */
/** @type {import("../language.ts").Language} */
export const language = {
  name: "as",
  source: "assembly/index.ts",
  suffix: ".wasm",
  missing: async () => null,
  inputs: async (folder) => {
    const files = [path.join(folder, OWN_OPTIONS)].filter((file) => existsSync(file));
    for (const root of [SDK_SOURCES, path.join(folder, "assembly")]) {
      const names = (await readdir(root, { recursive: true })).filter((name) => name.endsWith(".ts")).sort();
      files.push(...names.map((name) => path.join(root, name)));
    }
    return { version: [version, ...FLAGS, ...DATAGRAM_FLAGS].join(" "), files };
  },
  compile: async (folder) => {
    /** @type {Uint8Array | null} */
    let bytes = null;
    let messages = "";
    const baseDir = path.resolve(folder);
    const more = existsSync(path.join(baseDir, OWN_OPTIONS)) ? [] : DATAGRAM_FLAGS;
    const args = ["assembly/index.ts", "--baseDir", baseDir, "--outFile", "filter.wasm", ...FLAGS, ...more];
    const { error } = await asc.main(args, {
      stderr: { write: (text) => (messages += text) },
      writeFile(_name, contents) {
        if (typeof contents !== "string") bytes = contents;
      },
    });
    if (error !== null || bytes === null) throw new Error(`${error?.message}\n${messages}`);
    return bytes;
  },
};
