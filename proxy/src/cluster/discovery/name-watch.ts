// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { isIP } from "node:net";
import type { CheckWorld } from "../endpoint-check.ts";
import type { DnsPlan } from "./dns-plan.ts";
import { lookupByFamily } from "./lookup-by-family.ts";
import type { Lookup } from "./lookup-name.ts";

/** How a name is looked up, whatever it is. */
export type DnsSettings = Omit<DnsPlan, "endpoints">;

/** Counts of lookups, by Envoy's names. */
export interface LookupCounts {
  attempt: number;
  success: number;
  empty: number;
  failure: number;
}

/** A time to live of 0 would mean to ask without a pause. */
const LEAST_PAUSE_MS = 1000;

/** Looks up one name again and again until stopped. What it found stays until an answer says otherwise. */
export class NameWatch {
  readonly settings: DnsSettings;
  readonly counts: LookupCounts = { attempt: 0, success: 0, empty: 0, failure: 0 };
  readonly #name: string;
  readonly #lookup: Lookup;
  readonly #world: CheckWorld;
  readonly #onChange: () => void;
  readonly #stop = new AbortController();
  #addresses: readonly string[];
  #failures = 0;

  /** `known` are the addresses that an earlier watch of the name found. An address has itself, and nobody is asked. */
  constructor(
    name: string,
    settings: DnsSettings,
    known: readonly string[],
    { lookup, world, onChange }: NameWatchOptions,
  ) {
    this.#name = name;
    this.settings = settings;
    const isAddress = isIP(name) !== 0;
    this.#addresses = isAddress ? [name] : known;
    this.#lookup = lookup;
    this.#world = world;
    this.#onChange = onChange;
    if (!isAddress) void this.#run();
  }

  /** What the name has: sorted under STRICT, since servers change the order, at most one under LOGICAL. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }

  stop(): void {
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const pauseMs = await this.#ask();
      if (!signal.aborted) await this.#world.sleep(pauseMs, signal);
    }
  }

  /** Asks once; resolves to how long to wait before the next time. */
  async #ask(): Promise<number> {
    const { family, servers, refreshMs, isTtlRespected } = this.settings;
    this.counts.attempt++;
    try {
      const { addresses, ttlMs } = await lookupByFamily(this.#lookup, this.#name, family, servers);
      this.counts.success++;
      if (addresses.length === 0) this.counts.empty++;
      this.#failures = 0;
      if (!this.#stop.signal.aborted) this.#take(addresses);
      return isTtlRespected && ttlMs !== undefined ? Math.max(ttlMs, LEAST_PAUSE_MS) : refreshMs;
    } catch {
      this.counts.failure++;
      return this.#backOffMs();
    }
  }

  #take(answer: readonly string[]): void {
    const before = this.#addresses;
    const after = this.settings.kind === "STRICT" ? [...new Set(answer)].sort() : chooseOne(before, answer);
    if (after.length === before.length && after.every((address, index) => address === before[index])) return;
    this.#addresses = after;
    this.#onChange();
  }

  /** Between half and the whole of a time that doubles with each failure in a row, so that proxies ask apart. */
  #backOffMs(): number {
    const { failureBaseMs, failureMaxMs } = this.settings;
    const wholeMs = Math.min(failureBaseMs * 2 ** this.#failures++, failureMaxMs);
    return wholeMs * (0.5 + this.#world.random() / 2);
  }
}

/** What a watch needs of the world. */
export interface NameWatchOptions {
  readonly lookup: Lookup;
  readonly world: CheckWorld;
  readonly onChange: () => void;
}

/** Servers turn their answers round: the address that is in use stays as long as it is among them. */
function chooseOne(before: readonly string[], answer: readonly string[]): readonly string[] {
  if (answer.length === 0 || answer.includes(before[0] ?? "")) return before;
  return answer.slice(0, 1);
}
