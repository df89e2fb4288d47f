// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import binaryen from "binaryen";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { meterModule } from "./meter-module.ts";
import { MeteringRefusal } from "./metering-refusal.ts";

const LIMITS = { memoryPages: 4, startFuel: 10_000 };

type Exports = Readonly<Record<string, (...args: readonly number[]) => number>>;

function assemble(fields: string): Uint8Array {
  const module = binaryen.parseText(`(module ${fields})`);
  module.setFeatures(binaryen.Features.All & ~binaryen.Features.GC);
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

/** Instantiates a module after metering it. */
function start(bytes: Uint8Array, imports: Record<string, WebAssembly.ModuleImports> = {}): Exports {
  const metered = meterModule(bytes, LIMITS);
  return new WebAssembly.Instance(new WebAssembly.Module(metered), imports).exports as unknown as Exports;
}

const fuelLeft = (exports: Exports): number =>
  (exports as unknown as { msm_fuel: WebAssembly.Global }).msm_fuel.value as number;

function refusal(bytes: Uint8Array): MeteringRefusal {
  try {
    meterModule(bytes, LIMITS);
  } catch (error) {
    if (error instanceof MeteringRefusal) return error;
    throw error;
  }
  throw new Error("it was taken");
}

const SUM = `(func (export "run") (param $n i32) (result i32) (local $sum i32)
  (loop $again
    (local.set $sum (i32.add (local.get $sum) (local.get $n)))
    (local.set $n (i32.sub (local.get $n) (i32.const 1)))
    (br_if $again (local.get $n)))
  (local.get $sum))`;

test("where a place has a highest price, a long body costs no more and still runs out", () => {
  const metered = meterModule(assemble(SUM), { ...LIMITS, maxWeight: 2 });
  const exports = new WebAssembly.Instance(new WebAssembly.Module(metered)).exports as unknown as Exports;
  exports.msm_refuel?.(100_000);
  exports.run?.(1_000);
  expect(100_000 - fuelLeft(exports)).toBe(2 * 1_000 + 2);
  exports.msm_refuel?.(100);
  expect(() => exports.run?.(1_000)).toThrow("unreachable");
});

test("an imported memory is refused unless the caller makes it", () => {
  const bytes = assemble(
    '(import "env" "memory" (memory 1 2)) (func (export "run") (result i32) (i32.load (i32.const 4)))',
  );
  expect(refusal(bytes).code).toBe("MSM_FILTER_MEMORY");
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2 });
  new DataView(memory.buffer).setInt32(4, 42, true);
  const metered = new WebAssembly.Module(meterModule(bytes, { ...LIMITS, takesMemory: true }));
  const exports = new WebAssembly.Instance(metered, { env: { memory } }).exports as unknown as Exports;
  expect(exports.run?.()).toBe(42);
});

test("a metered function computes what it did before, and each turn of its loop costs the same", () => {
  const exports = start(assemble(SUM));
  const cost = (n: number): number => {
    exports.msm_refuel?.(100_000);
    expect(exports.run?.(n)).toBe((n * (n + 1)) / 2);
    return 100_000 - fuelLeft(exports);
  };
  const one = cost(1);
  const perTurn = cost(2) - one;
  expect(perTurn).toBeGreaterThanOrEqual(9);
  expect(cost(1_000)).toBe(one + 999 * perTurn);
});

test.each([
  ["a loop", `(func (export "run") (loop $again (br $again)))`],
  [
    "a loop around a block",
    `(func (export "run") (loop $again (block $b (br_if $b (i32.const 1))) (br $again)))`,
  ],
  ["a loop inside a loop", `(func (export "run") (loop $a (loop $b (br_if $b (i32.const 0))) (br $a)))`],
  [
    "mutual recursion that returns",
    `(func $f (param i32) (if (local.get 0) (then
    (call $f (i32.sub (local.get 0) (i32.const 1))) (call $f (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "run") (call $f (i32.const 60)))`,
  ],
  ["tail calls", `(func $f (export "run") (return_call $f))`],
  ["a loop in the start section", `(func $f (loop $again (br $again))) (start $f)`],
  [
    "a fill of memory over and over",
    `(memory 4) (func (export "run") (loop $again
    (memory.fill (i32.const 0) (i32.const 1) (i32.const 262144)) (br $again)))`,
  ],
  [
    "growth by nothing over and over",
    `(memory 1) (func (export "run") (loop $again
    (drop (memory.grow (i32.const 0))) (br $again)))`,
  ],
])("%s without end traps", (_, fields) => {
  const bytes = assemble(fields);
  const startedAt = performance.now();
  expect(() => start(bytes).run?.()).toThrow(/unreachable/);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});

test("a long copy costs more than a short one", () => {
  const exports = start(
    assemble(`(memory 4) (func (export "run") (param $n i32) (result i32)
      (memory.copy (i32.const 0) (i32.const 65536) (local.get $n)) (i32.const 0))`),
  );
  const cost = (n: number): number => {
    exports.msm_refuel?.(100_000);
    exports.run?.(n);
    return 100_000 - fuelLeft(exports);
  };
  expect(cost(65_536) - cost(0)).toBe(65_536 / 8);
  // As unsigned number: a length below zero is a very long one.
  expect(() => cost(-1)).toThrow(/unreachable/);
});

test("memory and tables stop at their maximum, whatever the module declares", () => {
  const exports = start(
    assemble(`(memory 1) (func (export "run") (param i32) (result i32) (memory.grow (local.get 0)))`),
  );
  expect([exports.run?.(3), exports.run?.(1)]).toEqual([1, -1]);
  const table = start(
    assemble(`(table 1 1000000 funcref) (func (export "run") (param i32) (result i32)
    (table.grow (ref.null func) (local.get 0)))`),
  );
  table.msm_refuel?.(1_000_000);
  expect([table.run?.(65_535), table.run?.(1)]).toEqual([1, -1]);
});

test("a lower maximum of the module's own stays", () => {
  const exports = start(
    assemble(`(memory 1 2) (func (export "run") (param i32) (result i32) (memory.grow (local.get 0)))`),
  );
  expect([exports.run?.(1), exports.run?.(1)]).toEqual([1, -1]);
});

describe("what goes through unharmed", () => {
  test.each([
    [
      "indirect calls, globals and data",
      `(memory 1) (global $g (mut i32) (i32.const 5)) (type $t (func (result i32)))
      (table 2 funcref) (elem (i32.const 0) $a $b) (data (i32.const 8) "\\07")
      (func $a (result i32) (global.get $g)) (func $b (result i32) (i32.load8_u (i32.const 8)))
      (func (export "run") (result i32) (i32.add (call_indirect (type $t) (i32.const 0)) (call_indirect (type $t) (i32.const 1))))`,
      12,
    ],
    [
      "imports before own functions",
      `(import "env" "f" (func $f (param i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 20)))`,
      21,
    ],
    [
      "SIMD",
      `(memory 1) (func (export "run") (result i32) (local $v v128)
      (local.set $v (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 (i32x4.splat (i32.const 3)) (v128.const i32x4 1 2 3 4)))
      (v128.store (i32.const 0) (i32x4.add (local.get $v) (v128.load (i32.const 16))))
      (v128.store8_lane 2 (i32.const 64) (local.get $v))
      (i32x4.extract_lane 1 (v128.load32_zero (i32.const 0))) (i32.add (i32.load (i32.const 4))))`,
      3,
    ],
    [
      "several results and block parameters",
      `(func $two (result i32 i32) (i32.const 40) (i32.const 2))
      (func (export "run") (result i32) (i32.add (call $two)))`,
      42,
    ],
    [
      "branch tables",
      `(func (export "run") (result i32) (block $a (block $b (block $c
      (br_table $a $b $c (i32.const 1))) (return (i32.const 1))) (return (i32.const 2))) (i32.const 3))`,
      2,
    ],
    [
      "64-bit, float and sign extension",
      `(func (export "run") (result i32)
      (i32.add (i32.wrap_i64 (i64.extend8_s (i64.const 0x1234567812345605)))
        (i32.add (i32.trunc_sat_f64_s (f64.const 1e10)) (i32.trunc_sat_f32_s (f32.const -1.5)))))`,
      -2147483645,
    ],
    [
      "a select with a type and a reference",
      `(func (export "run") (result i32)
      (select (result i32) (ref.is_null (ref.null func)) (i32.const 9) (i32.const 1)))`,
      1,
    ],
  ])("%s", (_, fields, expected) => {
    const exports = start(assemble(fields), { env: { f: (n: number) => n + 1 } });
    expect(exports.run?.()).toBe(expected);
  });
});

test.each([
  ["exceptions", `(tag $t) (func (export "run") (throw $t))`],
  ["threads", `(memory 1 1) (func (export "run") (drop (i32.atomic.load (i32.const 0))))`],
])("refuses %s", (_, fields) => {
  expect(refusal(assemble(fields)).code).toBe("MSM_FILTER_OPCODE");
});

test("refuses names that are the host's, too much memory, and shared memory", () => {
  expect(refusal(assemble(`(func (export "msm_refuel") (param i32))`)).code).toBe("MSM_FILTER_OPCODE");
  expect(refusal(assemble(`(memory 5)`)).code).toBe("MSM_FILTER_MEMORY");
  expect(refusal(assemble(`(memory 1 2 shared)`)).code).toBe("MSM_FILTER_MEMORY");
  expect(refusal(assemble(`(table 65537 funcref)`)).code).toBe("MSM_FILTER_MEMORY");
});

/** An expression over two i32 parameters `a` and `b` and a local. */
const expression = fc.letrec<{ tree: string }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom("(local.get $a)", "(local.get $b)", "(i32.const 7)", "(i32.const -1)"),
    fc
      .tuple(fc.constantFrom("add", "mul", "xor", "shl"), tie("tree"), tie("tree"))
      .map(([op, x, y]) => `(i32.${op} ${x} ${y})`),
    fc
      .tuple(tie("tree"), tie("tree"), tie("tree"))
      .map(([c, x, y]) => `(if (result i32) ${c} (then ${x}) (else ${y}))`),
    fc.tuple(tie("tree"), tie("tree")).map(([c, x]) => `(block $out (result i32) (br_if $out ${x} ${c}))`),
    tie("tree").map((x) => `(loop (result i32) ${x})`),
    tie("tree").map((x) => `(call $other ${x} (local.get $b))`),
  ),
})).tree;

test("any function answers the same with metering and without", () => {
  fc.assert(
    fc.property(expression, expression, fc.integer(), fc.integer(), (first, second, a, b) => {
      const bytes = assemble(`(func $other (param $a i32) (param $b i32) (result i32)
          ${second.replaceAll("(call $other", "(call $leaf")})
        (func $leaf (param $a i32) (param $b i32) (result i32) (i32.sub (local.get $a) (local.get $b)))
        (func (export "run") (param $a i32) (param $b i32) (result i32) ${first})`);
      const plain = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as Exports;
      const metered = start(bytes);
      metered.msm_refuel?.(10_000_000);
      expect(metered.run?.(a, b)).toBe(plain.run?.(a, b));
    }),
    { numRuns: 100 },
  );
});

test("garbage in place of a module never does anything but being refused", () => {
  const valid = assemble(SUM);
  fc.assert(
    fc.property(fc.nat(valid.length - 1), fc.nat(255), (at, byte) => {
      const bytes = valid.slice();
      bytes[at] = byte;
      try {
        meterModule(bytes, LIMITS);
      } catch (error) {
        expect(
          error instanceof MeteringRefusal || error instanceof RangeError || error instanceof TypeError,
        ).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});
