// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import { ConfigError } from "../config-error.ts";
import { compileFilter } from "./compile-filter.ts";
import { watFilter } from "./testdata/wat-filter.ts";

const NO_FILTER = `(memory (export "memory") 1) (func (export "proxy_abi_version_0_2_1"))`;

async function refusal(bytes: Uint8Array): Promise<{ code: string; field: string; message: string }> {
  return await compileFilter(bytes, "vm_config.code").then(
    () => Promise.reject(new Error("it was accepted")),
    (error: unknown) => {
      if (error instanceof ConfigError) return error;
      throw error;
    },
  );
}

test("takes a filter and names it by the SHA-256 of its bytes", async () => {
  const { digest } = await compileFilter(watFilter(), "filter");
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
});

test("refuses bytes that are no WebAssembly, and names the field", async () => {
  const error = await refusal(new TextEncoder().encode("#!/bin/sh"));
  expect(error).toMatchObject({ code: "MSM_FILTER_NOT_WASM", field: "vm_config.code" });
});

test("refuses a module that is cut short", async () => {
  const bytes = watFilter();
  expect((await refusal(bytes.subarray(0, bytes.length - 3))).code).toBe("MSM_FILTER_NOT_WASM");
});

test("never accepts or crashes on garbage behind the magic number", async () => {
  const garbage = fc.uint8Array({ maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(garbage, async (tail) => {
      const bytes = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...tail]);
      expect(["MSM_FILTER_NOT_WASM", "MSM_FILTER_ABI"]).toContain((await refusal(bytes)).code);
    }),
  );
});

test("refuses a module without the marker of this ABI, and says which export is missing", async () => {
  const error = await refusal(watFilter({ required: NO_FILTER }));
  expect(error).toMatchObject({ code: "MSM_FILTER_ABI" });
  expect(error.message).toContain("msm_abi_version_0_1_0");
});

test("refuses an import that the host does not have, and names it", async () => {
  const error = await refusal(
    watFilter({ imports: '(import "env" "msm_send" (func (param i32) (result i32)))' }),
  );
  expect(error).toMatchObject({ code: "MSM_FILTER_IMPORT" });
  expect(error.message).toContain("env.msm_send");
});

test("refuses an imported memory: each instance has its own", async () => {
  const imports = '(import "env" "memory" (memory 1))';
  const markers = '(func (export "proxy_abi_version_0_2_1")) (func (export "msm_abi_version_0_1_0"))';
  const error = await refusal(watFilter({ imports, required: `(export "memory" (memory 0)) ${markers}` }));
  expect(error.code).toBe("MSM_FILTER_IMPORT");
  expect(error.message).toContain("the memory env.memory");
});

test("refuses a module that is too large without compiling it", async () => {
  expect((await refusal(new Uint8Array(16 * 1024 * 1024 + 1))).code).toBe("MSM_FILTER_TOO_LARGE");
});

test("refuses features that cannot be bounded, and memory that is too large", async () => {
  const table = await refusal(watFilter({ more: "(table 70000 funcref)" }));
  expect(table.code).toBe("MSM_FILTER_MEMORY");
  const large = `(memory (export "memory") 257) (func (export "proxy_abi_version_0_2_1")) (func (export "msm_abi_version_0_1_0"))`;
  const memory = await refusal(watFilter({ required: large }));
  expect(memory).toMatchObject({ code: "MSM_FILTER_MEMORY", field: "vm_config.code" });
  expect(memory.message).toContain("257 pages");
  const name = await refusal(watFilter({ more: '(func (export "msm_refuel") (param i32))' }));
  expect(name.code).toBe("MSM_FILTER_OPCODE");
});

test("takes a built-in filter as it is", async () => {
  const { module } = await compileFilter(watFilter(), "filter", "builtin");
  expect(WebAssembly.Module.exports(module).map(({ name }) => name)).not.toContain("msm_fuel");
});
