// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { FIRST_HOST_REASON } from "./abi.ts";
import type { FilterEnvironment, MetricHandle } from "./filter-environment.ts";

/** Reasons become label values: short, and of a form that every metrics system takes. */
const NAME = /^[a-z][a-z0-9_.]{0,47}$/;

/** Label value of reasons that the filter never named. */
const UNNAMED = "unspecified";

/** Counts the datagrams that one filter dropped, by the reasons that it named when it was configured. */
export class DropReasons {
  readonly #env: FilterEnvironment;
  readonly #filter: string;
  readonly #handles: (MetricHandle | undefined)[] = new Array(FIRST_HOST_REASON).fill(undefined);
  readonly #pending = new Uint32Array(FIRST_HOST_REASON);
  readonly #unnamed: MetricHandle;
  #hasPending = false;

  constructor(env: FilterEnvironment, filter: string) {
    this.#env = env;
    this.#filter = filter;
    this.#unnamed = this.#define(UNNAMED);
  }

  /** Gives reason `code` its name; false where code or name are not allowed. */
  name(code: number, name: string): boolean {
    if (code < 1 || code >= FIRST_HOST_REASON || !NAME.test(name)) return false;
    this.#handles[code] = this.#define(name);
    return true;
  }

  /** Notes one dropped datagram. `code` is below `FIRST_HOST_REASON`. */
  note(code: number): void {
    this.#pending[code]!++;
    this.#hasPending = true;
  }

  /** Adds what was noted to the metrics, once per batch. */
  flush(): void {
    if (!this.#hasPending) return;
    this.#hasPending = false;
    for (let code = 0; code < FIRST_HOST_REASON; code++) {
      const count = this.#pending[code]!;
      if (count === 0) continue;
      (this.#handles[code] ?? this.#unnamed).add(count);
      this.#pending[code] = 0;
    }
  }

  #define(reason: string): MetricHandle {
    const labels = { filter: this.#filter, listener: this.#env.listener, reason };
    return this.#env.defineMetric("counter", "msm_filter_dropped_total", labels);
  }
}
