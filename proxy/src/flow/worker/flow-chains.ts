// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { FilterChain } from "../../wasm/filter-chain.ts";
import type { FilterEnvironment } from "../../wasm/filter-environment.ts";
import type { WorkerChain } from "../worker-flow.ts";

interface Entry {
  readonly number: number;
  readonly chain: FilterChain;
  flows: number;
}

/** The filter chains of a worker's flows: flows with the same filters and configuration share one, as sessions of it. */
export class FlowChains {
  readonly #environment: FilterEnvironment;
  readonly #entries = new Map<number, Entry>();

  constructor(environment: FilterEnvironment) {
    this.#environment = environment;
  }

  /** The chains that are in use. */
  *all(): Iterable<FilterChain> {
    for (const { chain } of this.#entries.values()) yield chain;
  }

  /** The chain for one more flow. */
  take({ number, filters }: WorkerChain): FilterChain {
    let entry = this.#entries.get(number);
    if (entry === undefined) {
      entry = { number, chain: FilterChain.create(filters, this.#environment), flows: 0 };
      this.#entries.set(number, entry);
    }
    entry.flows++;
    return entry.chain;
  }

  /** A flow does not use it any more. */
  give(number: number): void {
    const entry = this.#entries.get(number);
    if (entry === undefined || --entry.flows > 0) return;
    entry.chain.close();
    this.#entries.delete(number);
  }
}
