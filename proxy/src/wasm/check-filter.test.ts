// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { ConfigError } from "../config-error.ts";
import { checkFilter } from "./check-filter.ts";
import { type WatParts, watPlan } from "./testdata/wat-filter.ts";

const LOG = '(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))';

async function refusal(parts: WatParts, sendsOutgoing = true): Promise<ConfigError> {
  const plan = await watPlan(parts);
  try {
    checkFilter(plan, "typed_config", false, sendsOutgoing);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

test("accepts a filter that starts and takes its configuration", async () => {
  const plan = await watPlan();
  expect(() => checkFilter(plan, "typed_config")).not.toThrow();
});

test("refuses a filter that refuses its configuration, with what it logged", async () => {
  const error = await refusal({
    imports: LOG,
    onConfigure: "(drop (call $log (i32.const 4) (i32.const 16) (i32.const 9))) (i32.const 0)",
    more: '(data (i32.const 16) "bad limit")',
  });
  expect(error).toMatchObject({ code: "MSM_FILTER_CONFIG", field: "typed_config" });
  expect(error.message).toContain("bad limit");
});

test("refuses a filter that traps in its configuration", async () => {
  expect((await refusal({ onConfigure: "(unreachable)" })).code).toBe("MSM_FILTER_CONFIG");
});

test("refuses a filter that traps when it starts", async () => {
  const more = '(func (export "_initialize") (unreachable))';
  expect((await refusal({ more })).code).toBe("MSM_FILTER_START");
});

test("refuses a filter that ends the process", async () => {
  const imports = '(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))';
  const more = '(func (export "_start") (call $exit (i32.const 3)))';
  const error = await refusal({ imports, more });
  expect(error.code).toBe("MSM_FILTER_START");
  expect(error.message).toContain("proc_exit(3)");
});

test("refuses a filter that answers false to the start", async () => {
  const more = '(func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 0))';
  expect((await refusal({ more })).code).toBe("MSM_FILTER_START");
});

test("refuses a filter that wants to emit datagrams where nobody sends them", async () => {
  const more = `(func (export "msm_describe") (param $out i32) (param i32) (result i32)
    (i32.store offset=16 (local.get $out) (i32.const 4)) (i32.const 0))`;
  const error = await refusal({ more }, false);
  expect(error.code).toBe("MSM_FILTER_START");
  expect(error.message).toContain("emit_capacity");
});

test("refuses a filter whose allocator hands out memory that it does not have", async () => {
  const more = `(func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const -64))`;
  expect((await refusal({ more })).code).toBe("MSM_FILTER_START");
});
