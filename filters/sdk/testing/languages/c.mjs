// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import path from "node:path";
import { fileURLToPath } from "node:url";
import { compileWith, outputOf } from "../run-compiler.mjs";

const SOURCE = "filter.c";
const HEADER = fileURLToPath(new URL("../../c/msm_filter.h", import.meta.url));

const FLAGS = [
  // Without a C library: the header has what a filter needs.
  ...["--target=wasm32", "-nostdlib", "-ffreestanding", "-O3", "-std=c11", "-Wall", "-Wextra", "-Werror"],
  ...["-mbulk-memory", "-mmutable-globals", "-fvisibility=hidden"],
  ...["-Wl,--no-entry", "-Wl,--strip-all", "-Wl,--allow-undefined", "-Wl,-z,stack-size=65536"],
];

/** Filters in C, compiled by clang. */
/** @type {import("../language.ts").Language} */
export const language = {
  name: "c",
  source: SOURCE,
  suffix: ".wasm",
  missing: async () => {
    const versions = await Promise.all([
      outputOf("clang", ["--version"]),
      outputOf("wasm-ld", ["--version"]),
    ]);
    return versions.includes(null) ? "clang and wasm-ld (Debian: apt-get install clang lld)" : null;
  },
  inputs: async (folder) => {
    const version = (await outputOf("clang", ["--version"])) ?? "";
    return { version: [version, ...FLAGS].join(" "), files: [HEADER, path.join(folder, SOURCE)] };
  },
  compile: (folder) =>
    compileWith((into) => [
      [
        "clang",
        [
          ...FLAGS,
          ...["-I", path.dirname(HEADER), "-o", path.join(into, "filter.wasm"), path.join(folder, SOURCE)],
        ],
      ],
    ]),
};
