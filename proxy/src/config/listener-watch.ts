// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { LiveListener } from "../datapath/datapath.ts";
import type { Logger } from "../logger.ts";
import type { StatsRegistry } from "../stats/registry.ts";
import { formatAddress } from "./read-address.ts";

/** Tells of listeners that opened, changed or closed, in the log and in Envoy's counters. */
export class ListenerWatch {
  readonly #logger: Logger;
  readonly #counters;
  #known: ReadonlyMap<string, { readonly plan: LiveListener["plan"]; readonly address: string }> = new Map();

  constructor(registry: StatsRegistry, logger: Logger) {
    this.#logger = logger;
    const counter = (name: string, help: string) =>
      registry.counter({ name: `listener_manager.${name}`, help });
    this.#counters = {
      added: counter("listener_added", "Listeners that were opened"),
      modified: counter("listener_modified", "Listeners that were changed"),
      removed: counter("listener_removed", "Listeners that were closed"),
      failed: counter("listener_create_failure", "Listeners that could not be opened"),
    };
  }

  /** Compares the open listeners with those of the call before. */
  update(listeners: readonly LiveListener[]): void {
    const now = new Map(
      listeners.map(({ plan, localAddress }) => [plan.name, { plan, address: formatAddress(localAddress) }]),
    );
    for (const [listener, { plan, address }] of now) {
      const before = this.#known.get(listener);
      if (before?.plan === plan) continue;
      this.#counters[before === undefined ? "added" : "modified"].add();
      this.#logger.info({ listener, address }, before === undefined ? "listener open" : "listener changed");
    }
    for (const listener of this.#known.keys()) {
      if (now.has(listener)) continue;
      this.#counters.removed.add();
      this.#logger.info({ listener }, "listener closed");
    }
    this.#known = now;
  }

  /** A listener could not be opened. */
  failed(listener: string, error: Error): void {
    this.#counters.failed.add();
    this.#logger.warn({ listener, error: error.message }, "listener not opened; its last good form stays");
  }
}
