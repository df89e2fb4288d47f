// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { CodeCache, defaultCacheFolder } from "../code/code-cache.ts";
import { CodeSource } from "../code/code-source.ts";
import type { CompiledFilter, FilterTrust, RunnableFilter } from "../wasm/index.ts";
import { type BuiltinFilters, type FilterBytes, readModule } from "./builtin-filters.ts";
import { limitTime } from "./limit-time.ts";
import type { FilterConfig } from "./read-filter.ts";
import { at, refuse } from "./refuse.ts";

/** The part of the filter host that configuration needs; both functions throw a `ConfigError`. */
export interface FilterHost {
  compileFilter(bytes: Uint8Array, field: string, trust: FilterTrust): Promise<CompiledFilter>;
  /** Starts and configures the filter once, for a trial. Returns bits of `Stage`: where it wants to run. */
  checkFilter(plan: RunnableFilter, field: string, hasSinks: boolean): number;
  /** The same for a filter of a signalling listener, or of one that relays connections. */
  checkSignalling(plan: RunnableFilter, field: string, isRelay: boolean): void;
}

/** How long a filter may take to start and be configured: thousands of times what an honest one takes. */
const CHECK_LIMIT_MS = 1000;

/** How many modules are kept compiled for the next resource that has the same one. */
const KEPT_MODULES = 32;

/** Turns filters as configured into filters that can run: reads, compiles and tries their code. */
export class FilterLoader {
  readonly #host: FilterHost;
  readonly #builtins: BuiltinFilters;
  readonly #codes: CodeSource;
  readonly #hasSinks: boolean;
  /** By trust and SHA-256 of the bytes, the least recently used first. */
  readonly #compiled = new Map<string, CompiledFilter>();

  /**
   * `cacheFolder` is where fetched code is kept; the default folder of this user unless said. `hasSinks` says whether
   * filters may write to files.
   */
  constructor(host: FilterHost, builtins: BuiltinFilters, cacheFolder?: string, hasSinks = false) {
    this.#host = host;
    this.#hasSinks = hasSinks;
    this.#builtins = builtins;
    this.#codes = new CodeSource(new CodeCache(cacheFolder ?? defaultCacheFolder()));
  }

  /** Loads a filter under its name in the chain. Throws a `ConfigError` where its code cannot be used. */
  async load(name: string, config: FilterConfig): Promise<RunnableFilter> {
    let stages = 0;
    const plan = await this.#load(name, config, (tried) => {
      stages = this.#host.checkFilter(tried, config.field, this.#hasSinks);
    });
    return { ...plan, stages };
  }

  /** The same for the filter of a signalling listener, which counts its instructions wherever it came from. */
  loadSignalling(name: string, config: FilterConfig, isRelay = false): Promise<RunnableFilter> {
    const check = (plan: RunnableFilter): void => this.#host.checkSignalling(plan, config.field, isRelay);
    return this.#load(name, config, check, "plugin");
  }

  async #load(
    name: string,
    config: FilterConfig,
    check: (plan: RunnableFilter) => void,
    only?: FilterTrust,
  ): Promise<RunnableFilter> {
    const codeField = at(config.field, "vm_config.code");
    const read = await this.#read(config, codeField);
    if (only !== undefined && read.trust !== only && read.trust !== "builtin") {
      refuse(
        "MSM_FILTER_RUNTIME",
        at(config.field, "vm_config.runtime"),
        "must be envoy.wasm.runtime.v8 here",
      );
    }
    const { bytes, trust } = { ...read, ...(only === undefined ? {} : { trust: only }) };
    const compiled = await this.#compile(bytes, codeField, trust);
    const { rootId, vmId, configuration, vmConfiguration, failurePolicy, options } = config;
    const plan = {
      name,
      rootId,
      vmId,
      ...compiled,
      configuration,
      vmConfiguration,
      failurePolicy,
      ...options,
    };
    // On the main thread a module that does not come back would take xDS, admin and signals with it.
    if (!limitTime(() => check(plan), CHECK_LIMIT_MS)) {
      const problem = `filter ${name} did not start within ${CHECK_LIMIT_MS} ms; make its start and configuration shorter`;
      return refuse("MSM_FILTER_START", config.field, problem);
    }
    return plan;
  }

  async #read({ code, trust }: FilterConfig, field: string): Promise<FilterBytes> {
    switch (code.kind) {
      case "bytes":
        return { bytes: code.bytes, trust };
      case "file":
        return { bytes: await readModule(code.path, field), trust };
      case "remote":
        return { bytes: await this.#codes.get(code.code, field), trust };
      case "builtin":
        return await this.#builtins.read(code.name, field);
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
