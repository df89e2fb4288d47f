// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
// biome-ignore lint/correctness/noUndeclaredDependencies: only tests use it; it comes with assemblyscript.
import binaryen from "binaryen";
import { compileFilter, type FilterTrust } from "../compile-filter.ts";
import type { RunnableFilter } from "../filter-options.ts";

/** The parts of a filter in WebAssembly text that differ from test to test. */
export interface WatParts {
  /** Import declarations. */
  readonly imports?: string;
  /**
   * Body of `msm_on_datagrams`; `$batch` is its argument, `$i` and `$d` are free. Answers 0 at its end. There is no such
   * export where this is null.
   */
  readonly onDatagrams?: string | null;
  /** Body of `proxy_on_configure`, which must leave an i32. */
  readonly onConfigure?: string;
  /** Further functions and other fields. */
  readonly more?: string;
  /** Replaces the whole list of exports that a filter must have. */
  readonly required?: string;
}

/** The exports that make a module a filter. `$next` is a bump allocator; addresses below 4096 are free for tests. */
const REQUIRED = `
  (memory (export "memory") 32 64)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "msm_abi_version_0_1_0"))`;

/** Runs `body` for each descriptor of the batch, with its address in `$d` and its number in `$i`. */
export const forEachDescriptor = (body: string): string => `
  (local.set $i (i32.const 0))
  (block $done (loop $again
    (br_if $done (i32.ge_u (local.get $i) (i32.load offset=8 (local.get $batch))))
    (local.set $d (i32.add (i32.load offset=16 (local.get $batch)) (i32.shl (local.get $i) (i32.const 6))))
    ${body}
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br $again)))`;

/** `msm_describe` of a filter that wants a window of so many bytes, batches and headroom. */
export const describeAs = (windowBytes: number, maxBatch = 0, headroomBytes = 0): string => `
  (func (export "msm_describe") (param $out i32) (param i32) (result i32)
    (i32.store offset=8 (local.get $out) (i32.const ${windowBytes}))
    (i32.store offset=12 (local.get $out) (i32.const ${maxBatch}))
    (i32.store offset=20 (local.get $out) (i32.const ${headroomBytes}))
    (i32.const 0))`;

const onDatagrams = (body = ""): string => `
  (func (export "msm_on_datagrams") (param $context i32) (param $batch i32) (result i32) (local $i i32) (local $d i32)
    ${body}
    (i32.const 0))`;

/** Assembles a filter from its parts. */
export function watFilter(parts: WatParts = {}): Uint8Array {
  const module = binaryen.parseText(`(module
    ${parts.imports ?? ""}
    ${parts.required ?? REQUIRED}
    (global $next (mut i32) (i32.const 4096))
    (func (export "malloc") (param $size i32) (result i32) (local $at i32)
      (local.set $at (global.get $next))
      (global.set $next (i32.add (global.get $next) (local.get $size)))
      (local.get $at))
    (func (export "proxy_on_configure") (param $context i32) (param $size i32) (result i32)
      ${parts.onConfigure ?? "(i32.const 1)"})
    ${parts.onDatagrams === null ? "" : onDatagrams(parts.onDatagrams)}
    ${parts.more ?? ""})`);
  module.setFeatures(binaryen.Features.BulkMemory);
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

/** A plan for a filter in WebAssembly text. */
export async function watPlan(
  parts: WatParts = {},
  changes: Partial<RunnableFilter> = {},
  trust: FilterTrust = "plugin",
): Promise<RunnableFilter> {
  const compiled = await compileFilter(watFilter(parts), "filter", trust);
  return {
    name: "wat",
    rootId: "root",
    vmId: "vm",
    ...compiled,
    configuration: new Uint8Array(),
    vmConfiguration: new Uint8Array(),
    failurePolicy: "FAIL_CLOSED",
    ...changes,
  };
}
