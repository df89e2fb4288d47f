// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Sample } from "../stats/sample.ts";

/**
 * Says whether the process has as much memory as it may: then nothing new is taken, and what there is goes on. The memory
 * is what is resident, of all threads, heaps and tables; that of the kernel's sockets is not in it.
 */
export class MemoryGuard {
  /** Whether sessions and legs of flows are refused now. */
  isShort = false;
  readonly #limitBytes: number;
  readonly #residentBytes: () => number;

  /** Without a limit it never is. */
  constructor(limitBytes: number | undefined, residentBytes: () => number = () => process.memoryUsage.rss()) {
    this.#limitBytes = limitBytes ?? Number.POSITIVE_INFINITY;
    this.#residentBytes = residentBytes;
  }

  /** Looks at the memory again. */
  look(): void {
    this.isShort = this.#residentBytes() > this.#limitBytes;
  }

  samples(): readonly Sample[] {
    if (this.#limitBytes === Number.POSITIVE_INFINITY) return [];
    const help = "Resident bytes of this process beyond which no sessions and no legs of flows are taken.";
    return [{ kind: "gauge", name: "msm_memory_limit_bytes", help, labels: {}, value: this.#limitBytes }];
  }
}
