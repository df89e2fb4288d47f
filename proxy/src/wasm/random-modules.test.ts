// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import { ConfigError } from "../config-error.ts";
import { checkFilter } from "./check-filter.ts";
import { compileFilter } from "./compile-filter.ts";
import { FilterChain } from "./filter-chain.ts";
import type { RunnableFilter } from "./filter-options.ts";
import { forEachDescriptor, watFilter } from "./testdata/wat-filter.ts";
import { MemoryBatch } from "./testing/memory-batch.ts";
import { MemoryEnvironment } from "./testing/memory-environment.ts";
import { takeOutgoing } from "./testing/take-outgoing.ts";

/** A filter that uses most of the ABI, so that a changed byte of it is likely to misuse it. */
const original = watFilter({
  imports: `(import "env" "msm_set_timer" (func $timer (param i32 i32 i64 i64) (result i32)))
    (import "env" "proxy_set_shared_data" (func $share (param i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_get_property" (func $property (param i32 i32 i32 i32) (result i32)))
    (import "env" "msm_map_metric" (func $map (param i32 i32) (result i32)))
    (import "env" "proxy_define_metric" (func $define (param i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_continue_stream" (func $continue (param i32) (result i32)))`,
  onConfigure: `(drop (call $define (i32.const 0) (i32.const 64) (i32.const 4) (i32.const 16)))
    (drop (call $map (i32.load (i32.const 16)) (i32.const 128)))
    (drop (call $timer (i32.const 1) (i32.const 1) (i64.const 1000) (i64.const 1000))) (i32.const 1)`,
  onDatagrams: forEachDescriptor(`
    (i32.store8 (i32.load (local.get $d)) (i32.const 9))
    (i32.store16 offset=12 (local.get $d) (i32.const 0x500))
    (i64.store offset=32 (local.get $d) (i64.add (i64.load offset=32 (local.get $batch)) (i64.const 1000000)))
    (i32.store8 offset=24 (local.get $d) (i32.and (local.get $i) (i32.const 3)))
    (drop (call $share (i32.const 64) (i32.const 4) (i32.const 64) (i32.const 4) (i32.const 0)))
    (drop (call $property (i32.const 64) (i32.const 4) (i32.const 16) (i32.const 20)))
    (drop (call $continue (i32.const 2)))`),
  more: `(data (i32.const 64) "name")
    (func (export "msm_describe") (param $out i32) (param i32) (result i32)
      (i32.store offset=8 (local.get $out) (i32.const 64)) (i32.store offset=16 (local.get $out) (i32.const 4)) (i32.const 0))
    (func (export "msm_on_timer") (param i32) (param i32) (param $batch i32) (local $e i32)
      (local.set $e (i32.load offset=16 (local.get $batch)))
      (i32.store16 offset=4 (local.get $e) (i32.const 8)) (i32.store offset=8 (local.get $e) (i32.const 2))
      (i32.store offset=48 (local.get $batch) (i32.const 1)))`,
});

/** Puts a module through its whole life. Returns what the proxy says of it. */
async function live(bytes: Uint8Array): Promise<"refused" | "failed" | "ran"> {
  const rest = {
    name: "random",
    rootId: "",
    vmId: "",
    configuration: bytes,
    vmConfiguration: bytes,
  } as const;
  let plan: RunnableFilter;
  try {
    plan = { ...rest, ...(await compileFilter(bytes, "code")), failurePolicy: "FAIL_OPEN" };
    checkFilter(plan, "code", true);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return "refused";
  }
  const chain = FilterChain.create([plan], new MemoryEnvironment());
  const session = {
    index: 0,
    client: "192.0.2.1:1",
    endpoint: "192.0.2.2:2",
    local: "192.0.2.3:3",
    resumed: false,
  };
  chain.openSession(session);
  const batch = new MemoryBatch(16, 128, 16);
  const guard = batch.bytes.slice(0, 64);
  for (let turn = 0; turn < 3; turn++) {
    batch.stage(Array.from({ length: 8 }, (_, i) => ({ payload: new Uint8Array(i * 9).fill(i) })));
    chain.run(batch, 0, 8, false, 1e9 + turn * 1e6);
    chain.tick(1_000 + turn);
    chain.streams();
    takeOutgoing(chain);
  }
  chain.closeSession(0);
  chain.close();
  expect(batch.bytes.slice(0, 64)).toEqual(guard);
  return chain.failed.length > 0 ? "failed" : "ran";
}

/** One to three bytes of the module, changed. */
const changed = fc
  .array(fc.tuple(fc.integer({ min: 8, max: original.length - 1 }), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 3,
  })
  .map((changes) => {
    const bytes = original.slice();
    for (const [at, value] of changes) bytes[at] = value;
    return bytes;
  });

test("modules with any bytes changed are refused, fail or run, and nothing of them reaches the host", async () => {
  await fc.assert(
    fc.asyncProperty(changed, async (bytes) => {
      await live(bytes);
    }),
    { numRuns: 200 },
  );
});

test("modules that are still valid after the change are refused, fail or run, and nothing of them reaches the host", async () => {
  const outcomes = { refused: 0, failed: 0, ran: 0 };
  await fc.assert(
    fc.asyncProperty(changed, async (bytes) => {
      // Most changes make a module that no engine compiles, which the property above has enough of.
      fc.pre(WebAssembly.validate(bytes));
      outcomes[await live(bytes)]++;
    }),
    { numRuns: 200, maxSkipsPerRun: 1_000 },
  );
  // The changes are neither all harmless nor all nonsense: of 200 about 15 fail and 50 run.
  expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(0);
});

test("the module as it was runs", async () => {
  expect(await live(original)).toBe("ran");
});
