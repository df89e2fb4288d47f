// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { BranchIntent, FlowIntent, NumberedSocket } from "./flow-intent.ts";
import type { WorkerChain, WorkerFlow, WorkerLeg, WorkerSocket } from "./worker-flow.ts";

/** The chain of branches that have no filters. Chains of flows have numbers above 0. */
const NO_FILTERS: WorkerChain = { number: 0, filters: [], receiverFilters: [] };

/** What one worker has of a flow, the one that has the flow or one that serves some of its receivers, and was told of it. */
export class FlowPart {
  readonly number: number;
  /** Undefined where the flow is. */
  readonly branch: BranchIntent | undefined;
  /** Receivers that the worker serves, without trunks. */
  receivers = 0;
  /** By record, trunks among them. */
  readonly #legs = new Map<number, WorkerLeg>();
  /** By number. */
  readonly #sockets = new Map<number, NumberedSocket>();
  /** Records of legs that are new or changed since the worker was told, and whether it knows an older form. */
  readonly #newLegs = new Map<number, boolean>();
  readonly #newSockets = new Set<number>();
  #removedLegs: number[] = [];
  #removedSockets: number[] = [];
  #isUrgent = true;

  constructor(number: number, branch: BranchIntent | undefined) {
    this.number = number;
    this.branch = branch;
  }

  /** Whether the worker has to be told now. Receivers that are not enabled can wait until something else happens. */
  get isUrgent(): boolean {
    return this.#isUrgent;
  }

  /** Makes the next look at `isUrgent` true: something besides legs and sockets changed. */
  markUrgent(): void {
    this.#isUrgent = true;
  }

  setLeg(leg: WorkerLeg): void {
    const { record, role, isEnabled, transport } = leg;
    const isKnown = this.#newLegs.get(record) ?? this.#legs.has(record);
    this.#legs.set(record, leg);
    this.#newLegs.set(record, isKnown);
    if (isKnown || isEnabled || role === "source" || transport.kind === "trunk") this.#isUrgent = true;
  }

  removeLeg(record: number): void {
    this.#legs.delete(record);
    const isKnown = this.#newLegs.get(record) ?? true;
    this.#newLegs.delete(record);
    if (!isKnown) return;
    this.#removedLegs.push(record);
    this.#isUrgent = true;
  }

  addSocket(socket: NumberedSocket): void {
    if (this.#sockets.has(socket.number)) return;
    this.#sockets.set(socket.number, socket);
    this.#newSockets.add(socket.number);
  }

  removeSocket({ number }: NumberedSocket): void {
    if (!this.#sockets.delete(number) || this.#newSockets.delete(number)) return;
    this.#removedSockets.push(number);
    this.#isUrgent = true;
  }

  /** What the worker was not told yet; it counts as told. */
  takeNews(flow: FlowIntent): WorkerFlow {
    const news = {
      ...this.#head(flow),
      sockets: [...this.#newSockets].map((number) => toWorkerSocket(this.#sockets.get(number)!)),
      removedSockets: this.#removedSockets,
      legs: [...this.#newLegs.keys()].map((record) => this.#legs.get(record)!),
      removedLegs: this.#removedLegs,
    };
    this.#noteTold();
    return news;
  }

  /** All of it, for a worker that knows nothing of the flow; it counts as told. */
  takeAll(flow: FlowIntent): WorkerFlow {
    this.#noteTold();
    const sockets = [...this.#sockets.values()].map(toWorkerSocket);
    const legs = [...this.#legs.values()];
    return { ...this.#head(flow), sockets, removedSockets: [], legs, removedLegs: [] };
  }

  #noteTold(): void {
    this.#isUrgent = false;
    this.#newLegs.clear();
    this.#newSockets.clear();
    this.#removedLegs = [];
    this.#removedSockets = [];
  }

  #head({ head, sources, enabledReceivers }: FlowIntent) {
    const { stream, idleMs, chain, activeSource } = head;
    const { number, branch } = this;
    const common = { number, stream, receiverCount: enabledReceivers };
    if (branch === undefined) return { ...common, idleMs, chain, activeSource, branchSources: undefined };
    let branchSources = 0;
    for (const { plan } of sources.values()) if (plan.isEnabled) branchSources++;
    return {
      ...common,
      idleMs: 0,
      chain: branchChain(chain),
      activeSource: branch.far.record,
      branchSources,
    };
  }
}

/** Filters see media where the flow is, once; those of receivers run where the receivers are. */
function branchChain({ number, receiverFilters }: WorkerChain): WorkerChain {
  return receiverFilters.length === 0 ? NO_FILTERS : { number: -number, filters: [], receiverFilters };
}

function toWorkerSocket({ number, open, use }: NumberedSocket): WorkerSocket {
  return { number, socket: open.socket, use };
}
