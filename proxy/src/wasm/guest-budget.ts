// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { FilterFailure } from "./filter-failure.ts";
import { FUEL_EXPORT, REFUEL_EXPORT } from "./metering/meter-module.ts";

/**
 * Instructions that one call into a filter may run: some milliseconds, and for a batch of 64 datagrams 100 for each
 * byte of them.
 */
export const CALL_FUEL = 8_000_000;

/** Instructions for the calls that start a filter and configure it, where tables are built and texts are read. */
export const START_FUEL = 40_000_000;

/** Host calls that one call into a filter may make; each takes the host up to a microsecond. */
const CALL_HOST_CALLS = 10_000;
const START_HOST_CALLS = 100_000;

/** What one call into a filter may use. Modules that are not metered have no fuel to run out of. */
export class GuestBudget {
  readonly #callFuel: number;
  readonly #startFuel: number;
  #hostCalls = START_HOST_CALLS;
  #fuel: WebAssembly.Global | null = null;
  #refuel: ((fuel: number) => void) | null = null;
  #helper: GuestBudget | null = null;

  /** `factor` is how many instructions stand for one, where an interpreter runs the filter. */
  constructor(factor = 1) {
    this.#callFuel = CALL_FUEL * factor;
    this.#startFuel = START_FUEL * factor;
  }

  /** Binds what metering added to the module. */
  attach(exports: WebAssembly.Exports): void {
    const fuel = exports[FUEL_EXPORT];
    const refuel = exports[REFUEL_EXPORT];
    if (!(fuel instanceof WebAssembly.Global) || typeof refuel !== "function") return;
    this.#fuel = fuel;
    this.#refuel = refuel as unknown as (fuel: number) => void;
  }

  /** Binds a second module that works for the filter, with instructions of its own. */
  attachHelper(exports: WebAssembly.Exports): void {
    this.#helper = new GuestBudget();
    this.#helper.attach(exports);
  }

  /** Before each of the calls that start the filter. */
  grantStart(): void {
    this.#hostCalls = START_HOST_CALLS;
    this.#refuel?.(this.#startFuel);
    this.#helper?.grantStart();
  }

  /** Before each other call. */
  grantCall(): void {
    this.#hostCalls = CALL_HOST_CALLS;
    this.#refuel?.(this.#callFuel);
    this.#helper?.grantCall();
  }

  /** Whether the last call ended because it had run too many instructions. */
  get isOutOfFuel(): boolean {
    if (this.#helper?.isOutOfFuel === true) return true;
    return this.#fuel !== null && (this.#fuel.value as number) < 0;
  }

  /** Counts a host call. Throws FilterFailure where there were too many. */
  spendHostCall(): void {
    if (--this.#hostCalls < 0)
      throw new FilterFailure("overrun", "the filter made too many host calls at once");
  }
}
