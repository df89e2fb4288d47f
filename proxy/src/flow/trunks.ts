// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { LinkHost } from "./attachments.ts";
import { createInterleavedRing, InterleavedRing } from "./interleaved-ring.ts";
import { trunkAttachment } from "./trunk.ts";

interface Trunk {
  /** The two workers, and for each the ring that it reads. */
  readonly workers: readonly [number, number];
  readonly rings: readonly [SharedArrayBuffer, SharedArrayBuffer];
}

/** The rings between datapath workers, made when a flow first has receivers at another worker than its own. */
export class Trunks {
  readonly #host: LinkHost;
  readonly #trunks = new Map<string, Trunk>();

  constructor(host: LinkHost) {
    this.#host = host;
  }

  /** Connects two workers, where they are not yet. What they are told afterwards may rely on it. */
  open(one: number, other: number): void {
    const workers = [Math.min(one, other), Math.max(one, other)] as const;
    const key = workers.join();
    if (this.#trunks.has(key)) return;
    const trunk = { workers, rings: [createInterleavedRing(), createInterleavedRing()] } as const;
    this.#trunks.set(key, trunk);
    this.#link(trunk, 0);
    this.#link(trunk, 1);
  }

  /** A worker was rebuilt: the rings are as it left them. */
  relink(worker: number): void {
    for (const trunk of this.#trunks.values()) {
      if (trunk.workers[0] === worker) this.#link(trunk, 0);
      if (trunk.workers[1] === worker) this.#link(trunk, 1);
    }
  }

  /** Datagrams that did not fit into any ring, each lost to all of a flow's receivers at that worker. */
  dropped(): number {
    let sum = 0;
    for (const { rings } of this.#trunks.values())
      for (const ring of rings) sum += new InterleavedRing(ring).dropped;
    return sum;
  }

  #link({ workers, rings }: Trunk, end: 0 | 1): void {
    const other = workers[1 - end]!;
    this.#host.link(workers[end], {
      attachment: trunkAttachment(other),
      incoming: rings[end],
      outgoing: rings[1 - end]!,
      bell: this.#host.eventfd(other),
    });
  }
}
