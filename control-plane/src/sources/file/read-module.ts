// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import type { LoadedModule, ModuleFile, UnusableModule } from "../../model/raw-resource.ts";

const WASM_MAGIC = Buffer.from([0x00, 0x61, 0x73, 0x6d]); // WebAssembly core specification, section 5.5.16.

/** Filters in JavaScript end so; the proxies run them in QuickJS. */
const SCRIPT_SUFFIX = ".js";

/** Reads a module file, takes its digest and lists its exports. Never throws: the reason is in the result. */
export async function readModule(path: string, maxBytes: number): Promise<ModuleFile> {
  let bytes: Buffer;
  try {
    const facts = await stat(path);
    if (!facts.isFile()) return unusable(path, "MSM_FILTER_UNREADABLE", "is not a file");
    if (facts.size > maxBytes) {
      return unusable(
        path,
        "MSM_FILTER_TOO_LARGE",
        `has ${facts.size} bytes; at most ${maxBytes} are served`,
      );
    }
    bytes = await readFile(path);
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return unusable(path, "MSM_FILTER_UNREADABLE", `cannot be read (${reason}); check the path`);
  }
  if (path.endsWith(SCRIPT_SUFFIX)) {
    return { path, bytes, sha256: digestOf(bytes), exports: [], isScript: true };
  }
  if (!bytes.subarray(0, WASM_MAGIC.length).equals(WASM_MAGIC)) {
    return unusable(path, "MSM_FILTER_NOT_WASM", "is not a WebAssembly module; name the compiled .wasm");
  }
  return inspect(path, bytes);
}

async function inspect(path: string, bytes: Buffer): Promise<ModuleFile> {
  try {
    const module = await WebAssembly.compile(bytes);
    const exports = WebAssembly.Module.exports(module).map((item) => item.name);
    return { path, bytes, sha256: digestOf(bytes), exports } satisfies LoadedModule;
  } catch (error) {
    const reason = error instanceof Error ? error.message.slice(0, 200) : String(error);
    return unusable(path, "MSM_FILTER_NOT_WASM", `is not a valid WebAssembly module: ${reason}`);
  }
}

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function unusable(path: string, code: UnusableModule["code"], problem: string): UnusableModule {
  return { path, code, problem: `${path} ${problem}` };
}
