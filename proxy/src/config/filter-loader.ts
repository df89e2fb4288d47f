// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import type { FilterTrust, RunnableFilter } from "../wasm/index.ts";
import { type BuiltinFilters, readModule } from "./builtin-filters.ts";
import { limitTime } from "./limit-time.ts";
import type { FilterConfig } from "./read-filter.ts";
import { at, refuse } from "./refuse.ts";

/** A module after compilation. */
interface CompiledFilter {
  readonly module: WebAssembly.Module;
  readonly digest: string;
}

/** The part of the filter host that configuration needs; both functions throw a `ConfigError`. */
export interface FilterHost {
  compileFilter(bytes: Uint8Array, field: string, trust: FilterTrust): Promise<CompiledFilter>;
  /** Starts and configures the filter once, for a trial. */
  checkFilter(plan: RunnableFilter, field: string): void;
}

/** How long a filter may take to start and be configured: thousands of times what an honest one takes. */
const CHECK_LIMIT_MS = 1000;

/** How many modules are kept compiled for the next resource that has the same one. */
const KEPT_MODULES = 32;

/** Turns filters as configured into filters that can run: reads, compiles and tries their code. */
export class FilterLoader {
  readonly #host: FilterHost;
  readonly #builtins: BuiltinFilters;
  /** By trust and SHA-256 of the bytes, the least recently used first. */
  readonly #compiled = new Map<string, CompiledFilter>();

  constructor(host: FilterHost, builtins: BuiltinFilters) {
    this.#host = host;
    this.#builtins = builtins;
  }

  /** Loads a filter under its name in the chain. Throws a `ConfigError` where its code cannot be used. */
  async load(name: string, config: FilterConfig): Promise<RunnableFilter> {
    const codeField = at(config.field, "vm_config.code");
    // A built-in filter's digest was checked: it needs no counting of its instructions.
    const trust = config.code.kind === "builtin" ? "builtin" : "plugin";
    const { module, digest } = await this.#compile(await this.#read(config, codeField), codeField, trust);
    const { rootId, vmId, configuration, vmConfiguration, failurePolicy, options } = config;
    const plan = {
      name,
      rootId,
      vmId,
      module,
      digest,
      configuration,
      vmConfiguration,
      failurePolicy,
      ...options,
    };
    // On the main thread a module that does not come back would take xDS, admin and signals with it.
    if (!limitTime(() => this.#host.checkFilter(plan, config.field), CHECK_LIMIT_MS)) {
      const problem = `filter ${name} did not start within ${CHECK_LIMIT_MS} ms; make its start and configuration shorter`;
      return refuse("MSM_FILTER_START", config.field, problem);
    }
    return plan;
  }

  #read({ code }: FilterConfig, field: string): Promise<Uint8Array> | Uint8Array {
    switch (code.kind) {
      case "bytes":
        return code.bytes;
      case "file":
        return readModule(code.path, field);
      case "builtin":
        return this.#builtins.read(code.name, field);
    }
  }

  async #compile(bytes: Uint8Array, field: string, trust: FilterTrust): Promise<CompiledFilter> {
    const key = `${trust} ${createHash("sha256").update(bytes).digest("hex")}`;
    const compiled = this.#compiled.get(key) ?? (await this.#host.compileFilter(bytes, field, trust));
    this.#compiled.delete(key);
    this.#compiled.set(key, compiled);
    for (const oldest of this.#compiled.keys()) {
      if (this.#compiled.size <= KEPT_MODULES) break;
      this.#compiled.delete(oldest);
    }
    return compiled;
  }
}
