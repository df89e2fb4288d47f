// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { create, packAny, StringValueSchema, toBinary } from "@msm/xds-protos";
import { type PluginConfig, PluginConfigSchema } from "@msm/xds-protos/envoy/extensions/wasm/v3/wasm_pb.js";
import { type FilterConfig, readFilter } from "../config/read-filter.ts";
import { refuse } from "../config/refuse.ts";
import { ConfigError } from "../config-error.ts";
import { Stage } from "../wasm/abi.ts";
import type { RunnableFilter } from "../wasm/index.ts";
import type { FlowPlan, LegPlan } from "./flow-plan.ts";
import type { WorkerChain } from "./worker-flow.ts";

/** Loads one filter; `FilterLoader.load`. */
export type LoadFilter = (name: string, config: FilterConfig) => Promise<RunnableFilter>;

/** What decides what filters a flow has. */
interface ChainRequest extends Pick<FlowPlan, "chain"> {
  readonly sources: readonly LegPlan[];
}

/** Chains that no flow uses are kept for the next that does, up to so many. */
const KEPT_CHAINS = 64;

/**
 * The filters of flows. Flows that ask for the same get the same chain, so that workers share it among them. A flow that
 * names no filters gets `rtp-stats`, with the clock rates of its legs; where that is not installed, none.
 */
export class ChainCache {
  readonly #load: LoadFilter | undefined;
  readonly #chains = new Map<string, Promise<WorkerChain>>();
  #next = 1;

  /** Without `load` flows run without filters, and one that names some is refused. */
  constructor(load: LoadFilter | undefined) {
    this.#load = load;
  }

  /** The chain of a flow. Throws a `ConfigError`. */
  take(plan: ChainRequest): Promise<WorkerChain> {
    const isDefault = plan.chain.length === 0;
    const rates = isDefault ? JSON.stringify({ clockRates: clockRatesOf(plan) }) : "";
    // To write and encode the plugin for each reader that joins would cost more than all else here.
    const key = isDefault ? rates : plan.chain.map(encoded).join();
    const known = this.#chains.get(key);
    const chain = known ?? this.#make(isDefault ? [rtpStats(rates)] : plan.chain, isDefault);
    this.#chains.delete(key);
    this.#chains.set(key, chain);
    // One that could not be made is tried again by the next flow.
    chain.catch(() => this.#chains.delete(key));
    for (const oldest of this.#chains.keys()) {
      if (this.#chains.size <= KEPT_CHAINS) break;
      this.#chains.delete(oldest);
    }
    return chain;
  }

  async #make(plugins: readonly PluginConfig[], isDefault: boolean): Promise<WorkerChain> {
    const number = this.#next++;
    if (this.#load === undefined) {
      if (!isDefault) refuse("MSM_FLOW_INVALID", "chain", "names filters, but this proxy loads none");
      return { number, filters: [], receiverFilters: [] };
    }
    const filters: RunnableFilter[] = [];
    const receiverFilters: RunnableFilter[] = [];
    for (const [i, plugin] of plugins.entries()) {
      const config = readFilter(packAny(PluginConfigSchema, plugin), `chain[${i}]`);
      try {
        const filter = await this.#load(plugin.name, config);
        const { stages = Stage.Session } = filter;
        if ((stages & Stage.Session) !== 0) filters.push(filter);
        else if ((stages & Stage.Egress) !== 0) receiverFilters.push(filter);
        else
          refuse(
            "MSM_FILTER_STAGE",
            config.field,
            `filter ${plugin.name} runs at LISTENER, which no flow has`,
          );
      } catch (error) {
        const isMissing = error instanceof ConfigError && error.code === "MSM_FILTER_BUILTIN";
        if (!isDefault || !isMissing) throw error;
      }
    }
    return { number, filters, receiverFilters };
  }
}

function encoded(plugin: PluginConfig): string {
  return Buffer.from(toBinary(PluginConfigSchema, plugin)).toString("base64");
}

function clockRatesOf({ sources }: ChainRequest): Readonly<Record<string, number>> {
  return Object.fromEntries(
    sources
      .filter(({ clockRate }) => clockRate > 0)
      .flatMap(({ payloadTypes, clockRate }) => payloadTypes.map((type) => [type, clockRate] as const)),
  );
}

/** `configuration` is JSON. */
function rtpStats(configuration: string): PluginConfig {
  return create(PluginConfigSchema, {
    name: "rtp-stats",
    vm: {
      case: "vmConfig",
      value: {
        runtime: "envoy.wasm.runtime.null",
        code: {
          specifier: {
            case: "local",
            value: { specifier: { case: "inlineString", value: "rtp-stats" } },
          },
        },
      },
    },
    configuration: packAny(StringValueSchema, create(StringValueSchema, { value: configuration })),
  });
}
