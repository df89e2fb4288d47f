// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { cp, readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { pingScenarios } from "../../proxy-wasm/ping-scenarios.ts";
import { runTool } from "../../proxy-wasm/run-tool.ts";
import type { ScenarioContext, Suite } from "../../runner/suite.ts";

/** The same relative path from `src` and from `dist`. */
const MODULE = fileURLToPath(new URL("../../../src/suites/proxy-wasm-rust/module", import.meta.url));
const CARGO_HOME = fileURLToPath(new URL("../../../build/cargo", import.meta.url));
const TARGET = "wasm32-unknown-unknown";

/** Debian's cargo reads today's index of crates.io only as an experiment, which it otherwise keeps to nightly builds. */
const ENVIRONMENT = {
  CARGO_HOME,
  RUSTC: "/usr/bin/rustc",
  RUSTC_BOOTSTRAP: "1",
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: "wasm-ld-14",
};
const CARGO = ["/usr/bin/cargo", "-Z", "sparse-registry"] as const;

const [program, ...options] = CARGO;

async function build({ folder }: ScenarioContext): Promise<Uint8Array> {
  await cp(MODULE, folder, { recursive: true });
  const args = ["build", "--release", "--locked", "--target", TARGET];
  await runTool(folder, program, [...options, ...args], ENVIRONMENT);
  return readFile(path.join(folder, "target", TARGET, "release/ping.wasm"));
}

/** Proxy-Wasm network filters as the SDK for Rust makes them. */
export const suite: Suite = {
  title: "Proxy-Wasm network filters of the published Rust SDK run as they are",
  needs: [
    { name: "cargo", find: ["/usr/bin/cargo", "--version"], packages: ["cargo"] },
    {
      name: "rustc for wasm32",
      find: ["test", "-d", `/usr/lib/rustlib/${TARGET}`],
      packages: ["rustc", "libstd-rust-dev-wasm32", "lld-14"],
    },
    {
      name: "the crate proxy-wasm from crates.io",
      find: [
        "env",
        ...Object.entries(ENVIRONMENT).map(([name, value]) => `${name}=${value}`),
        ...CARGO,
        ...["fetch", "--locked", "--manifest-path", path.join(MODULE, "Cargo.toml")],
      ],
      packages: [],
    },
  ],
  scenarios: pingScenarios({ name: "the crate proxy-wasm", rootId: "ping", build }),
};
