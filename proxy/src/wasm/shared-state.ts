// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { Status } from "./abi.ts";

/** What the filters of a listener may share in all: a place for state, not for media. */
const MAX_KEYS = 1_024;
const MAX_QUEUES = 64;
const MAX_BYTES = 4 * 1024 * 1024;

/** Entries that wait in one queue. */
const MAX_QUEUED = 1_024;

interface SharedValue {
  readonly bytes: Uint8Array;
  /** Rises at each change; a writer that names another one has read something older. */
  readonly cas: number;
}

interface SharedQueue {
  readonly name: string;
  readonly entries: Uint8Array[];
  /** Who registered the queue and is told of entries. */
  readonly owner: object;
}

/** Data and queues that filters share by `vm_id`, in one worker. */
export class SharedState {
  readonly #values = new Map<string, SharedValue>();
  readonly #queues: SharedQueue[] = [];
  readonly #news = new Set<number>();
  #bytes = 0;
  #cas = 0;

  /** The value under a key; undefined where there is none. */
  get(vmId: string, key: string): SharedValue | undefined {
    return this.#values.get(scoped(vmId, key));
  }

  /** Sets a value. `cas` 0 sets it in any case. Returns a status. */
  set(vmId: string, key: string, bytes: Uint8Array, cas: number): number {
    const name = scoped(vmId, key);
    const known = this.#values.get(name);
    if (cas !== 0 && known?.cas !== cas) return Status.CasMismatch;
    const change = bytes.length - (known?.bytes.length ?? 0);
    if (this.#bytes + change > MAX_BYTES) return Status.QuotaExceeded;
    if (known === undefined && this.#values.size === MAX_KEYS) return Status.QuotaExceeded;
    this.#bytes += change;
    this.#values.set(name, { bytes, cas: ++this.#cas });
    return Status.Ok;
  }

  /** The id of the queue of that name, made at the first call; -1 where there are too many. */
  register(vmId: string, name: string, owner: object): number {
    const known = this.resolve(vmId, name);
    if (known >= 0) {
      // An instance that replaces another goes on with what waits.
      this.#queues[known] = { ...this.#queues[known]!, owner };
      return known;
    }
    if (this.#queues.length === MAX_QUEUES) return -1;
    return this.#queues.push({ name: scoped(vmId, name), entries: [], owner }) - 1;
  }

  /** The id of a queue, -1 where there is none. */
  resolve(vmId: string, name: string): number {
    return this.#queues.findIndex((queue) => queue.name === scoped(vmId, name));
  }

  enqueue(id: number, bytes: Uint8Array): number {
    const queue = this.#queues[id];
    if (queue === undefined) return Status.NotFound;
    if (queue.entries.length === MAX_QUEUED || this.#bytes + bytes.length > MAX_BYTES)
      return Status.QuotaExceeded;
    queue.entries.push(bytes);
    this.#bytes += bytes.length;
    this.#news.add(id);
    return Status.Ok;
  }

  /** The oldest entry, which leaves the queue; a status where there is none. */
  dequeue(id: number): Uint8Array | number {
    const queue = this.#queues[id];
    if (queue === undefined) return Status.NotFound;
    const first = queue.entries.shift();
    if (first === undefined) return Status.Empty;
    this.#bytes -= first.length;
    return first;
  }

  /** Whether `takeNews` has any; to be asked once a batch. */
  get hasNews(): boolean {
    return this.#news.size > 0;
  }

  /** Queues with entries of which their owners were not told yet. */
  takeNews(): readonly { readonly id: number; readonly owner: object }[] {
    const news = [...this.#news].map((id) => ({ id, owner: this.#queues[id]!.owner }));
    this.#news.clear();
    return news;
  }
}

function scoped(vmId: string, name: string): string {
  return `${vmId}\0${name}`;
}
