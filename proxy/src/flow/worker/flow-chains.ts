// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Stage } from "../../wasm/abi.ts";
import { FilterChain } from "../../wasm/filter-chain.ts";
import type { FilterEnvironment } from "../../wasm/filter-environment.ts";
import type { WorkerChain } from "../worker-flow.ts";

/** The filters of a flow. */
export interface FlowFilters {
  /** At stage SESSION; a session is a flow. */
  readonly chain: FilterChain;
  /** At stage EGRESS; a session is a receiver, by its record. Undefined where there are none. */
  readonly receiverChain: FilterChain | undefined;
}

interface Entry {
  readonly number: number;
  readonly filters: FlowFilters;
  flows: number;
}

/** The filter chains of a worker's flows: flows with the same filters and configuration share them, as sessions. */
export class FlowChains {
  readonly #environment: FilterEnvironment;
  readonly #entries = new Map<number, Entry>();

  constructor(environment: FilterEnvironment) {
    this.#environment = environment;
  }

  /** The chains of flows that are in use. */
  *all(): Iterable<FilterChain> {
    for (const { filters } of this.#entries.values()) yield filters.chain;
  }

  /** The chains of receivers that are in use. */
  *ofReceivers(): Iterable<FilterChain> {
    for (const { filters } of this.#entries.values()) if (filters.receiverChain) yield filters.receiverChain;
  }

  /** The filters for one more flow. */
  take({ number, filters, receiverFilters }: WorkerChain): FlowFilters {
    let entry = this.#entries.get(number);
    if (entry === undefined) {
      const create = (plans: WorkerChain["filters"], stage: number): FilterChain =>
        FilterChain.create(plans, { ...this.#environment, stage });
      const receiverChain = receiverFilters.length > 0 ? create(receiverFilters, Stage.Egress) : undefined;
      entry = { number, filters: { chain: create(filters, Stage.Session), receiverChain }, flows: 0 };
      this.#entries.set(number, entry);
    }
    entry.flows++;
    return entry.filters;
  }

  /** A flow does not use it any more. */
  give(number: number): void {
    const entry = this.#entries.get(number);
    if (entry === undefined || --entry.flows > 0) return;
    entry.filters.chain.close();
    entry.filters.receiverChain?.close();
    this.#entries.delete(number);
  }
}
