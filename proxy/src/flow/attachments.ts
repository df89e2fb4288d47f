// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { SignallingAttachment } from "./flow-service.ts";
import type { LinkMessage } from "./interleaved-links.ts";
import { createInterleavedRing, InterleavedRing } from "./interleaved-ring.ts";
import type { WorkerLink } from "./worker/ring-links.ts";

/** What attachments need of the datapath workers. */
export interface LinkHost {
  readonly concurrency: number;
  /** Number of the eventfd that wakes a worker, or -1. */
  eventfd(worker: number): number;
  link(worker: number, link: WorkerLink): void;
  unlink(worker: number, attachment: number): void;
}

interface Pair {
  readonly toDatapath: SharedArrayBuffer;
  readonly fromDatapath: SharedArrayBuffer;
}

interface Attached {
  readonly number: number;
  readonly port: MessagePort;
  /** By datapath worker. */
  readonly pairs: readonly Pair[];
}

/** The signalling workers that are attached, with a pair of rings to each datapath worker. */
export class Attachments {
  readonly #host: LinkHost;
  readonly #attached = new Map<number, Attached>();
  #next = 1;
  /** Dropped packets of attachments that are gone. */
  #retired = 0;

  constructor(host: LinkHost) {
    this.#host = host;
  }

  attach(port: MessagePort): SignallingAttachment {
    const number = this.#next++;
    const pairs = Array.from({ length: this.#host.concurrency }, () => ({
      toDatapath: createInterleavedRing(),
      fromDatapath: createInterleavedRing(),
    }));
    const attached = { number, port, pairs };
    this.#attached.set(number, attached);
    port.unref();
    for (let worker = 0; worker < pairs.length; worker++) this.#link(attached, worker);
    return { number, detach: () => this.#detach(attached) };
  }

  /** A datapath worker was rebuilt: its ports are gone, the rings are not. */
  relink(worker: number): void {
    for (const attached of this.#attached.values()) this.#link(attached, worker);
  }

  /** Packets that did not fit into any ring. */
  dropped(): number {
    return [...this.#attached.values()].reduce((sum, attached) => sum + droppedIn(attached), this.#retired);
  }

  close(): void {
    for (const { port } of this.#attached.values()) port.close();
    this.#attached.clear();
  }

  #link({ number, port, pairs }: Attached, worker: number): void {
    const { port1, port2 } = new MessageChannel();
    const pair = pairs[worker]!;
    const message: LinkMessage = { worker, ...pair, port: port1, eventfd: this.#host.eventfd(worker) };
    port.postMessage(message, [port1]);
    const { toDatapath: incoming, fromDatapath: outgoing } = pair;
    this.#host.link(worker, { attachment: number, incoming, outgoing, bell: port2 });
  }

  #detach(attached: Attached): void {
    if (!this.#attached.delete(attached.number)) return;
    this.#retired += droppedIn(attached);
    for (let worker = 0; worker < attached.pairs.length; worker++) this.#host.unlink(worker, attached.number);
    attached.port.close();
  }
}

function droppedIn({ pairs }: Attached): number {
  const count = (memory: SharedArrayBuffer): number => new InterleavedRing(memory).dropped;
  return pairs.reduce(
    (sum, { toDatapath, fromDatapath }) => sum + count(toDatapath) + count(fromDatapath),
    0,
  );
}
