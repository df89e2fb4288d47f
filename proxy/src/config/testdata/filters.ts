// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError } from "../../config-error.ts";
import { Stage } from "../../wasm/abi.ts";
import type { FilterHost } from "../filter-loader.ts";

/** The smallest module: a magic number and a version. */
export const EMPTY_MODULE = new Uint8Array([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);

/**
 * A host for which every module is a filter; it does not accept the configuration `bad`, and with `listener` a filter runs
 * at that stage alone.
 */
export const fakeFilterHost: FilterHost = {
  async compileFilter(bytes, field) {
    if (!WebAssembly.validate(bytes)) throw new ConfigError("MSM_FILTER_NOT_WASM", field, "is no module");
    const digest = createHash("sha256").update(bytes).digest("hex");
    return { module: await WebAssembly.compile(bytes), digest };
  },
  checkFilter({ configuration }, field) {
    const text = new TextDecoder().decode(configuration);
    if (text !== "bad") return text === "listener" ? Stage.Listener : Stage.Session;
    throw new ConfigError("MSM_FILTER_CONFIG", field, "the filter did not accept its configuration");
  },
  checkSignalling(plan, field) {
    fakeFilterHost.checkFilter(plan, field, false);
  },
};

/** A new folder with one built-in filter, `pass`. `sha256` may be set to a wrong one. */
export function builtinFolder(sha256 = createHash("sha256").update(EMPTY_MODULE).digest("hex")): string {
  const folder = mkdtempSync(join(tmpdir(), "msm-filters-"));
  writeFileSync(join(folder, "pass.wasm"), EMPTY_MODULE);
  writeFileSync(join(folder, "filters.json"), JSON.stringify({ pass: { file: "pass.wasm", sha256 } }));
  return folder;
}
