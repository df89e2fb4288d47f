// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { QuickJSContext, QuickJSHandle } from "quickjs-emscripten";
import { BatchField, InfoField } from "../abi.ts";
import { FilterFailure } from "../filter-failure.ts";
import { isCapable } from "../filter-options.ts";
import type { GuestCalls } from "../guest-calls.ts";
import type { GuestState } from "../guest-state.ts";
import { openEngine, type ScriptEngine } from "./script-engine.ts";
import { ScriptHost } from "./script-host.ts";
import { scriptPrelude } from "./script-prelude.ts";

/** The name of the script in messages of the engine. */
const FILE_NAME = "filter.js";

/** One of these makes a script a filter. */
const DATA_CALLBACKS = ["onDatagrams", "onDownstreamData", "onUpstreamData"] as const;

/** Fields that the exported object `wants` may have, and where `msm_plugin_info` has them. */
const WISHES = {
  stages: InfoField.stages,
  window: InfoField.window,
  maxBatch: InfoField.maxBatch,
  emitCapacity: InfoField.emitCapacity,
  headroom: InfoField.headroom,
  slotSize: InfoField.slotSize,
  drainMs: InfoField.drainMs,
} as const;

type Argument = number | QuickJSHandle;

/**
 * Starts a JavaScript filter in an engine of its own. To the host it is a guest as any other: its functions are called
 * as if they were a module's exports, its batch lies in the engine's memory, and the engine is metered. Throws where
 * the script does not run or exports no callback.
 */
export function startScript(
  state: GuestState,
  source: string,
  hostCalls: WebAssembly.ModuleImports,
): GuestCalls {
  const engine = openEngine(state.plan.module);
  state.budget.attach(engine.exports);
  state.memory.attach(engine.memory, engine.allocate);
  state.budget.grantStart();
  return new Script(state, engine, hostCalls, source).calls();
}

class Script {
  readonly #state: GuestState;
  readonly #engine: ScriptEngine;
  readonly #context: QuickJSContext;
  readonly #host: ScriptHost;
  readonly #prelude: QuickJSHandle;
  readonly #exports: QuickJSHandle;
  #boundBatch = 0;

  constructor(state: GuestState, engine: ScriptEngine, hostCalls: WebAssembly.ModuleImports, source: string) {
    this.#state = state;
    this.#engine = engine;
    this.#context = engine.context;
    this.#host = new ScriptHost(state, engine, hostCalls);
    const prelude = this.#unwrap(this.#context.evalCode(scriptPrelude, "msm.js"));
    this.#prelude = this.#callValue(prelude, [this.#host.createObject()]);
    this.#exports = this.#unwrap(this.#context.evalCode(source, FILE_NAME, { type: "module" }));
    if (DATA_CALLBACKS.every((name) => this.#find(name) === undefined)) {
      const problem = `the script exports none of ${DATA_CALLBACKS.join(", ")}; export function onDatagrams(batch)`;
      throw new FilterFailure("start", problem);
    }
  }

  /** The script's exports, as the host calls them. */
  calls(): GuestCalls {
    const find = (capability: string, name: string): QuickJSHandle | undefined =>
      isCapable(this.#state.plan, capability) ? this.#find(name) : undefined;
    const callback = (capability: string, name: string) => {
      const called = find(capability, name);
      return called && ((...values: readonly number[]) => this.#callNumber(called, values));
    };
    const configure = find("proxy_on_configure", "configure");
    const onDatagrams = find("msm_on_datagrams", "onDatagrams");
    const onTimer = find("msm_on_timer", "onTimer");
    const wants = find("msm_describe", "wants");
    const run = this.#part("run");
    const runTimer = this.#part("runTimer");
    return {
      allocate: (size) => this.#engine.allocate(size),
      contextCreate: undefined,
      vmStart: undefined,
      // True unless it says false: most have nothing to answer.
      configure: configure && (() => (this.#callBoolean(configure) ? 1 : 0)),
      describe: wants && ((out) => this.#describe(wants, out)),
      onDatagrams:
        onDatagrams &&
        ((_, batch) => {
          this.#bind(batch);
          return this.#callNumber(run, [onDatagrams]);
        }),
      downstreamData: callback("proxy_on_downstream_data", "onDownstreamData"),
      upstreamData: callback("proxy_on_upstream_data", "onUpstreamData"),
      upstreamClose: undefined,
      newConnection: callback("proxy_on_new_connection", "onSession"),
      downstreamClose: undefined,
      done: undefined,
      log: undefined,
      delete: callback("proxy_on_delete", "onSessionClosed"),
      tick: callback("proxy_on_tick", "onTick"),
      queueReady: callback("proxy_on_queue_ready", "onQueueReady"),
      onTimer:
        onTimer &&
        ((context, timer, batch) => {
          this.#bind(batch);
          this.#callNumber(runTimer, [onTimer, context, timer]);
        }),
      onReport: undefined,
      onHandOver: callback("msm_on_hand_over", "onHandOver"),
      onStream: callback("msm_on_stream", "onStream"),
      onFlow: callback("msm_on_flow", "onFlow"),
    };
  }

  /** Lets the script see the batch, which is made once, at its first call. */
  #bind(batch: number): void {
    if (this.#boundBatch === batch || batch === 0) return;
    this.#boundBatch = batch;
    const { view } = this.#state.memory;
    const field = (offset: number) => view.getUint32(batch + offset, true);
    const end = field(BatchField.slots) + field(BatchField.capacity) * field(BatchField.slotSize);
    const memory = this.#engine.mapMemory(batch, end - batch);
    this.#callValue(this.#part("bind"), [memory, batch]).dispose();
  }

  #describe(wants: QuickJSHandle, out: number): number {
    const context = this.#context;
    for (const [name, offset] of Object.entries(WISHES)) {
      const value = context.getProp(wants, name).consume((handle) => context.dump(handle) as unknown);
      if (value === undefined) continue;
      if (typeof value !== "number" || !Number.isInteger(value) || value < 0) {
        throw new FilterFailure("start", `wants.${name} must be a whole number`);
      }
      this.#state.memory.bind();
      this.#state.memory.writeU32(out + offset, value);
    }
    return 0;
  }

  #find(name: string): QuickJSHandle | undefined {
    const found = this.#context.getProp(this.#exports, name);
    return this.#context.typeof(found) === "undefined" ? undefined : found;
  }

  #part(name: string): QuickJSHandle {
    return this.#context.getProp(this.#prelude, name);
  }

  /** What a callback answers as a status or action; nothing means 0. */
  #callNumber(called: QuickJSHandle, values: readonly Argument[]): number {
    const context = this.#context;
    return this.#callValue(called, values).consume((answer) =>
      context.typeof(answer) === "number" ? context.getNumber(answer) : 0,
    );
  }

  #callBoolean(called: QuickJSHandle): boolean {
    return this.#callValue(called, []).consume((answer) => this.#context.dump(answer) !== false);
  }

  #callValue(called: QuickJSHandle, values: readonly Argument[]): QuickJSHandle {
    const context = this.#context;
    const handles = values.map((value) => (typeof value === "number" ? context.newNumber(value) : value));
    const answer = this.#unwrap(context.callFunction(called, context.undefined, ...handles));
    for (const [i, value] of values.entries()) if (typeof value === "number") handles[i]!.dispose();
    return answer;
  }

  /** Takes a result, or throws what the script threw as an Error with the line where it was. */
  #unwrap(result: ReturnType<QuickJSContext["evalCode"]>): QuickJSHandle {
    if (this.#host.failure !== null) throw this.#host.failure;
    if (!("error" in result) || result.error === undefined) return (result as { value: QuickJSHandle }).value;
    const thrown = result.error.consume((handle) => this.#context.dump(handle) as unknown);
    throw new Error(describeThrown(thrown));
  }
}

function describeThrown(thrown: unknown): string {
  if (typeof thrown !== "object" || thrown === null) return `the script threw ${String(thrown)}`;
  const { name, message, stack } = thrown as { name?: unknown; message?: unknown; stack?: unknown };
  const line = typeof stack === "string" ? (stack.trim().split("\n")[0] ?? "").trim() : "";
  return `${String(name)}: ${String(message)} ${line}`.trim();
}
