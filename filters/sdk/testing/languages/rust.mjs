// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { compileWith, outputOf } from "../run-compiler.mjs";

const SOURCE = "filter.rs";
const SDK = fileURLToPath(new URL("../../rust/msm_filter.rs", import.meta.url));
const TARGET = "wasm32-unknown-unknown";
const FLAGS = ["--edition", "2018", "--target", TARGET, "-C", "opt-level=3", "-C", "panic=abort"];

/** The first compiler that has the target: rustup's, or Debian's beside it. */
const COMPILERS = ["rustc", "/usr/bin/rustc"];

/** Debian's compiler wants the linker of its own LLVM; rustup brings one along. */
const LINKERS = ["wasm-ld-14", "wasm-ld"];

/** @returns {Promise<{ compiler: string, linker: string[] } | null>} */
async function findCompiler() {
  for (const compiler of COMPILERS) {
    const sysroot = (await outputOf(compiler, ["--print", "sysroot"]))?.trim();
    if (sysroot === undefined || !existsSync(path.join(sysroot, "lib/rustlib", TARGET, "lib"))) continue;
    if (sysroot !== "/usr") return { compiler, linker: [] };
    for (const linker of LINKERS) {
      if ((await outputOf(linker, ["--version"])) === null) continue;
      return { compiler, linker: ["-C", `linker=${linker}`, "-C", "linker-flavor=wasm-ld"] };
    }
  }
  return null;
}

/** Filters in Rust, compiled by rustc, without packages. */
/** @type {import("../language.ts").Language} */
export const language = {
  name: "rust",
  source: SOURCE,
  suffix: ".wasm",
  missing: async () => {
    const how = `rustup target add ${TARGET}, or Debian: apt-get install rustc libstd-rust-dev-wasm32 lld-14`;
    return (await findCompiler()) === null ? `rustc with the target ${TARGET} (${how})` : null;
  },
  inputs: async (folder) => {
    const { compiler, linker } = (await findCompiler()) ?? { compiler: "rustc", linker: [] };
    const version = (await outputOf(compiler, ["--version"])) ?? "";
    return { version: [version, ...FLAGS, ...linker].join(" "), files: [SDK, path.join(folder, SOURCE)] };
  },
  compile: async (folder) => {
    const found = await findCompiler();
    if (found === null) throw new Error(`there is no ${await language.missing()}`);
    const { compiler, linker } = found;
    return await compileWith((into) => {
      // Messages of panics name sources: the same ones wherever they were compiled.
      const unnamed = [`${path.dirname(SDK)}=sdk`, `${folder}=.`].flatMap((part) => [
        "--remap-path-prefix",
        part,
      ]);
      const library = path.join(into, "libmsm_filter.rlib");
      /** @type {(...args: string[]) => [string, string[]]} */
      const make = (...args) => [compiler, [...FLAGS, ...unnamed, ...args]];
      return [
        make("--crate-type", "rlib", "--crate-name", "msm_filter", "-o", library, SDK),
        make(
          ...["--crate-type", "cdylib", "--crate-name", "filter", "--extern", `msm_filter=${library}`],
          ...[
            "-C",
            "strip=symbols",
            ...linker,
            "-o",
            path.join(into, "filter.wasm"),
            path.join(folder, SOURCE),
          ],
        ),
      ];
    });
  },
};
