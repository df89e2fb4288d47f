// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { compileFilter } from "../compile-filter.ts";
import { FilterChain } from "../filter-chain.ts";
import { type WatParts, watFilter, watPlan } from "../testdata/wat-filter.ts";
import { MemoryBatch } from "../testing/memory-batch.ts";
import { MemoryEnvironment } from "../testing/memory-environment.ts";

/** The root of the file system, opened before the filter starts. */
const ROOT = 4;
const CREATE = 1;

const IMPORTS = `
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ (param i32 i32) (result i32)))`;
const MEMORY = `(memory (export "memory") 32 64)
  (func (export "proxy_abi_version_0_2_1")) (func (export "msm_abi_version_0_1_0"))
  (data (i32.const 64) "etc/passwd") (data (i32.const 96) "note")
  (data (i32.const 112) "\\80\\00\\00\\00\\00\\00\\01\\00")`;

/** Opens the text at an address; its descriptor comes to address 16. */
const open = (at: number, length: number, flags = 0): string =>
  `(call $open (i32.const ${ROOT}) (i32.const 0) (i32.const ${at}) (i32.const ${length}) (i32.const ${flags})
     (i64.const 0x1fffffff) (i64.const 0x1fffffff) (i32.const 0) (i32.const 16))`;

/** Writes 64 KiB to a descriptor. */
const write = (descriptor: string): string =>
  `(call $write ${descriptor} (i32.const 112) (i32.const 1) (i32.const 24))`;

const parts = (onDatagrams: string): WatParts => ({ imports: IMPORTS, required: MEMORY, onDatagrams });

async function run(onDatagrams: string): Promise<{ said: string; chain: FilterChain }> {
  const env = new MemoryEnvironment();
  const chain = FilterChain.create([await watPlan(parts(onDatagrams), {}, "wasi")], env);
  const batch = new MemoryBatch();
  batch.stage([{ payload: Uint8Array.of(1) }]);
  chain.run(batch, 0, 1, false, 1_000_000_000);
  return { said: env.logs.map(({ message }) => message).join("\n"), chain };
}

test("a module that needs files has them in memory", async () => {
  const { said } = await run(`
    (local.set $i ${open(96, 4, CREATE)})
    (if (local.get $i) (then (return (local.get $i))))
    (local.set $i ${write("(i32.load (i32.const 16))")})
    (if (local.get $i) (then (return (local.get $i))))
    (local.set $i ${open(96, 4)})
    (if (local.get $i) (then (return (local.get $i))))`);
  expect(said).toBe("");
});

test("a module sees no file and no environment of the host's", async () => {
  expect((await run(`(return ${open(64, 10)})`)).said).toContain("msm_on_datagrams answered status 44");
  const { said } = await run(`
    (drop (call $environ (i32.const 32) (i32.const 36)))
    (return (i32.load (i32.const 32)))`);
  expect(said).toBe("");
});

test("a module that writes without end is stopped, and so is the memory of its files", async () => {
  const { said } = await run(`
    (drop ${open(96, 4, CREATE)})
    (loop $on (br_if $on (i32.eqz ${write("(i32.load (i32.const 16))")})))`);
  expect(said).toMatch(/failed \((trap|overrun)\)/);
});

test("output goes to the log", async () => {
  const { said } = await run(`
    (i32.store (i32.const 0) (i32.const 96)) (i32.store (i32.const 4) (i32.const 4))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 24)))`);
  expect(said).toBe("note");
});

test("without its runtime such a module is refused, and the refusal says what to do", async () => {
  await expect(compileFilter(watFilter(parts("")), "code")).rejects.toThrow(
    "wasi_snapshot_preview1.path_open, which this host does not have; set vm_config.runtime to msm.runtime.wasi",
  );
});
