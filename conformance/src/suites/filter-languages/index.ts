// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Suite } from "../../runner/suite.ts";
import { examplesInEveryLanguage } from "./examples.ts";

/** Filters in every language, by the compilers that a system brings. */
export const suite: Suite = {
  title: "filters in C, Rust, AssemblyScript and JavaScript do the same and keep the contract",
  needs: [
    { name: "clang", find: ["clang", "--version"], packages: ["clang"] },
    { name: "wasm-ld", find: ["wasm-ld", "--version"], packages: ["lld"] },
    {
      name: "rustc for wasm32",
      find: ["test", "-d", "/usr/lib/rustlib/wasm32-unknown-unknown"],
      packages: ["rustc", "libstd-rust-dev-wasm32", "lld-14"],
    },
  ],
  scenarios: examplesInEveryLanguage,
};
