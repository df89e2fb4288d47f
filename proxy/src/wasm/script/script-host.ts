// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { QuickJSContext, QuickJSHandle } from "quickjs-emscripten";
import { Status } from "../abi.ts";
import type { GuestState } from "../guest-state.ts";
import { type ScriptCall, type ScriptResult, scriptCalls } from "./script-calls.ts";
import type { ScriptEngine } from "./script-engine.ts";

type HostCall = (...values: readonly (number | bigint)[]) => number;

/** Room for the texts and bytes of one call: two of the largest values that a host call takes. */
const SCRATCH_BYTES = 2 * 65_536;

/** Room for out fields, at the beginning of it. */
const OUT_BYTES = 16;

/** Statuses that a filter meets in good order; whatever else a call answers is thrown. */
const EXPECTED: readonly number[] = [
  Status.NotFound,
  Status.Empty,
  Status.CasMismatch,
  Status.QuotaExceeded,
  Status.Denied,
];

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Makes the functions of `msm` out of an instance's host calls, through a piece of the engine's memory. */
export class ScriptHost {
  readonly #state: GuestState;
  readonly #engine: ScriptEngine;
  readonly #calls: WebAssembly.ModuleImports;
  readonly #scratch: number;
  #used = 0;
  /** What a host call threw: it ends the instance, whatever the script does about it. */
  failure: unknown = null;

  constructor(state: GuestState, engine: ScriptEngine, calls: WebAssembly.ModuleImports) {
    this.#state = state;
    this.#engine = engine;
    this.#calls = calls;
    this.#scratch = engine.allocate(SCRATCH_BYTES);
  }

  /** An object with a function for each call. */
  createObject(): QuickJSHandle {
    const { context } = this.#engine;
    const object = context.newObject();
    for (const [name, call] of Object.entries(scriptCalls)) {
      const answer = (...values: readonly QuickJSHandle[]) => this.#answer(name, call, values);
      context.newFunction(name, answer).consume((handle) => context.setProp(object, name, handle));
    }
    return object;
  }

  #answer(name: string, call: ScriptCall, values: readonly QuickJSHandle[]): QuickJSHandle {
    const { context } = this.#engine;
    try {
      const out = this.#scratch;
      this.#used = OUT_BYTES;
      const given = this.#arguments(call, values);
      if (given === null) throw new RangeError(`msm.${name}: the values are longer than 64 KiB`);
      const host = this.#calls[call.call] as unknown as HostCall;
      const status = host(...given, ...outAddresses(call.gives, out));
      if (status === Status.Ok)
        return call.gives === undefined ? context.true : this.#result(call.gives, out);
      if (!EXPECTED.includes(status)) throw new Error(`msm.${name} answered ${statusName(status)}`);
      return call.gives === undefined ? context.false : context.undefined;
    } catch (thrown) {
      if (thrown instanceof Error && thrown.name === "FilterFailure") this.failure ??= thrown;
      throw thrown;
    }
  }

  /** The arguments of a host call, texts and bytes put into memory; null where there is no room for them. */
  #arguments(call: ScriptCall, values: readonly QuickJSHandle[]): (number | bigint)[] | null {
    const { context } = this.#engine;
    const given: (number | bigint)[] = [];
    let next = 0;
    for (const parameter of call.takes) {
      if (typeof parameter === "number") {
        given.push(parameter);
        continue;
      }
      const value = values[next++] ?? context.undefined;
      if (parameter === "u32") given.push(context.getNumber(value) >>> 0);
      else if (parameter === "i64") given.push(BigInt(Math.trunc(context.getNumber(value)) || 0));
      else if (!this.#put(value, given)) return null;
    }
    return given;
  }

  #put(value: QuickJSHandle, given: (number | bigint)[]): boolean {
    const bytes = readBytes(this.#engine.context, value);
    if (this.#used + bytes.length > SCRATCH_BYTES) return false;
    const address = this.#scratch + this.#used;
    this.#state.memory.bind();
    this.#state.memory.bytes.set(bytes, address);
    this.#used += bytes.length;
    given.push(address, bytes.length);
    return true;
  }

  #result(gives: ScriptResult, out: number): QuickJSHandle {
    const { context } = this.#engine;
    const { memory } = this.#state;
    memory.bind();
    if (gives === "u32") return context.newNumber(memory.view.getUint32(out, true));
    if (gives === "u64") return context.newNumber(Number(memory.view.getBigUint64(out, true)));
    const bytes = this.#takeGiven(out);
    if (gives === "text") return context.newString(decoder.decode(bytes));
    if (gives === "bytes") return context.newArrayBuffer(bytes.slice().buffer);
    const pair = context.newObject();
    context.newArrayBuffer(bytes.slice().buffer).consume((value) => context.setProp(pair, "value", value));
    const version = memory.view.getUint32(out + 8, true);
    context.newNumber(version).consume((value) => context.setProp(pair, "version", value));
    return pair;
  }

  /** What a call handed over in memory that it had the engine allocate, which is free again. */
  #takeGiven(out: number): Uint8Array {
    const { memory } = this.#state;
    const address = memory.view.getUint32(out, true);
    const bytes = memory.bytes.slice(address, address + memory.view.getUint32(out + 4, true));
    if (address !== 0) this.#engine.free(address);
    return bytes;
  }
}

/** Text as UTF-8, or the bytes of an ArrayBuffer. */
function readBytes(context: QuickJSContext, value: QuickJSHandle): Uint8Array {
  if (context.typeof(value) !== "object") return encoder.encode(context.getString(value));
  return context.getArrayBuffer(value).consume((lifetime) => lifetime.value.slice());
}

function outAddresses(gives: ScriptResult | undefined, out: number): readonly number[] {
  if (gives === undefined) return [];
  if (gives === "u32" || gives === "u64") return [out];
  return gives === "shared" ? [out, out + 4, out + 8] : [out, out + 4];
}

function statusName(status: number): string {
  return Object.entries(Status).find(([, value]) => value === status)?.[0] ?? `status ${status}`;
}
