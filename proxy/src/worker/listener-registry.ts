// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { CounterBlocks } from "../datapath/counter-blocks.ts";
import { LISTENER_SLOTS } from "../datapath/counters.ts";
import type { LiveListener } from "../datapath/datapath.ts";
import { isSameSocketAddress } from "../datapath/sockaddr.ts";
import type { IoBackend, OpenListener } from "../io/io-backend.ts";
import type { ListenerPlan, PlanRejection } from "../plan.ts";
import type { WorkerListener } from "./protocol.ts";

/** A listener that is open. */
interface Entry extends LiveListener {
  readonly plan: ListenerPlan;
  readonly receiveBufferBytes: number;
  readonly id: number;
  readonly counters: number;
  readonly open: OpenListener;
}

/** What a change of listeners asks of the workers. */
export interface ListenerChange {
  readonly changed: readonly Entry[];
  readonly removed: readonly number[];
  readonly rejections: readonly PlanRejection[];
  /** Closes what is gone; to be called when every worker has let go of it. */
  readonly release: () => void;
}

/** The listeners that are open, with the sockets that outlive workers. */
export class ListenerRegistry {
  readonly #blocks: CounterBlocks;
  readonly #backend: IoBackend;
  readonly #workers: number;
  readonly #entries = new Map<string, Entry>();
  #nextId = 1;

  constructor(backend: IoBackend, workers: number, blocks: CounterBlocks) {
    this.#backend = backend;
    this.#workers = workers;
    this.#blocks = blocks;
  }

  get all(): readonly Entry[] {
    return [...this.#entries.values()];
  }

  /** How the worker of this index is told of a listener. */
  toWorker({ id, plan, localAddress, counters, open }: Entry, worker: number): WorkerListener {
    return { id, plan, localAddress, counters, socket: open.sockets[worker] };
  }

  /** Follows the plan. A listener that cannot be opened is rejected; what ran under its name runs on. */
  async update(plans: readonly ListenerPlan[]): Promise<ListenerChange> {
    const changed: Entry[] = [];
    const gone: Entry[] = [];
    const rejections: PlanRejection[] = [];
    const names = new Set(plans.map(({ name }) => name));
    for (const [name, entry] of this.#entries) {
      if (names.has(name)) continue;
      gone.push(entry);
      this.#entries.delete(name);
    }
    for (const plan of plans) {
      const known = this.#entries.get(plan.name);
      if (known?.plan === plan) continue;
      try {
        const entry = await this.#open(plan, known);
        if (known && entry.id !== known.id) gone.push(known);
        this.#entries.set(plan.name, entry);
        changed.push(entry);
      } catch (error) {
        rejections.push({ listener: plan.name, error: error as Error });
      }
    }
    return { changed, removed: gone.map(({ id }) => id), rejections, release: () => this.#release(gone) };
  }

  /** Closes everything. */
  close(): void {
    this.#release(this.all);
    this.#entries.clear();
  }

  /** A listener keeps its sockets, its number and its counters as long as its address stays. */
  async #open(plan: ListenerPlan, known: Entry | undefined): Promise<Entry> {
    if (known && isSameSocketAddress(known.plan.address, plan.address)) return { ...known, plan };
    const open = await this.#backend.openListener(plan, this.#workers);
    const { localAddress, receiveBufferBytes } = open;
    return {
      plan,
      localAddress,
      receiveBufferBytes,
      id: this.#nextId++,
      counters: this.#blocks.allocate(LISTENER_SLOTS),
      open,
    };
  }

  #release(entries: readonly Entry[]): void {
    for (const { open, counters } of entries) {
      open.close();
      this.#blocks.free(counters, LISTENER_SLOTS);
    }
  }
}
