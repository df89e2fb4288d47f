// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { FlowIntent, LegIntent, LegSockets } from "./flow-intent.ts";
import { changeOf, type FlowPart, isNews, missing, partsOf } from "./flow-part.ts";
import type { WorkerRoom } from "./leg-binder.ts";
import { LegRecords } from "./leg-records.ts";
import { NumberPool } from "./number-pool.ts";
import { MOST_FLOWS } from "./trunk.ts";
import type { FlowUpdate } from "./worker-flow.ts";

/** What one worker has for flows, as the main thread knows it. */
export interface Room extends WorkerRoom {
  /** By number: flows of this worker, and those that it has a branch of. */
  readonly flows: (FlowIntent | undefined)[];
  /** By record: whether the owner knows that the leg was heard. */
  readonly told: Uint8Array;
}

/** What becomes of things that no worker uses any more. */
export interface RoomEvents {
  /** A leg is gone; its record will be used again. */
  onLegGone(records: LegRecords, record: number): void;
  onSocketsGone(sockets: LegSockets, room: Room): void;
}

/** Brings flows to the workers that have them or serve some of their receivers, and takes them away again. */
export class FlowRooms {
  readonly all: readonly Room[];
  readonly #update: (worker: number, update: FlowUpdate) => Promise<void>;
  readonly #events: RoomEvents;
  readonly #parts = new WeakMap<FlowIntent, ReadonlyMap<number, FlowPart>>();

  /** `legs` are the memories of the workers' legs; `update` resolves when the worker has taken it over. */
  constructor(
    legs: readonly WebAssembly.Memory[],
    update: (worker: number, update: FlowUpdate) => Promise<void>,
    events: RoomEvents,
  ) {
    this.#update = update;
    this.#events = events;
    this.all = legs.map((memory) => {
      const records = new LegRecords(memory);
      return {
        records,
        recordPool: new NumberPool(records.capacity),
        socketPool: new NumberPool(Number.POSITIVE_INFINITY),
        flowPool: new NumberPool(MOST_FLOWS),
        flows: [],
        told: new Uint8Array(records.capacity),
      };
    });
  }

  /** The records in which a leg's worker writes. */
  recordsOf({ worker }: LegIntent): LegRecords {
    return this.all[worker]!.records;
  }

  /** Everything of flows that a worker should do now. */
  intent(worker: number, isResumed: boolean): FlowUpdate {
    const flows = this.all[worker]!.flows.filter((flow) => flow !== undefined);
    const changes = flows.map((flow) => changeOf(flow, this.#partsOf(flow).get(worker)!, undefined));
    return { flows: changes, removed: [], isResumed };
  }

  /** Tells the workers of a flow in its new form, and gives back what only the form before had. */
  async install(flow: FlowIntent, before: FlowIntent | undefined): Promise<void> {
    const parts = this.#partsOf(flow);
    const old = before && this.#partsOf(before);
    for (const [worker, { number }] of parts) this.all[worker]!.flows[number] = flow;
    // Branches first: what the flow sends them finds its receivers.
    await Promise.all(
      [...parts.keys()]
        .filter((worker) => worker !== flow.worker)
        .map((worker) => this.#change(flow, parts, old, worker)),
    );
    await this.#change(flow, parts, old, flow.worker);
    if (before) await this.#release(before, flow);
  }

  /** Takes a flow away from its workers. */
  remove(flow: FlowIntent): Promise<void> {
    return this.#release(flow, undefined);
  }

  /** Gives back the sockets of flows; the workers are gone. */
  closeSockets(flow: FlowIntent): void {
    this.#releaseSockets(flow, undefined);
  }

  async #change(
    flow: FlowIntent,
    parts: ReadonlyMap<number, FlowPart>,
    old: ReadonlyMap<number, FlowPart> | undefined,
    worker: number,
  ): Promise<void> {
    const before = old?.get(worker);
    const change = changeOf(flow, parts.get(worker)!, before);
    if (worker !== flow.worker && !isNews(change, before)) return;
    await this.#update(worker, { flows: [change], removed: [], isResumed: false });
  }

  async #release(before: FlowIntent, flow: FlowIntent | undefined): Promise<void> {
    const old = this.#partsOf(before);
    const parts = flow && this.#partsOf(flow);
    // The flow itself first: then nothing is sent to branches that are gone.
    for (const [worker, { number }] of old) {
      if (parts?.has(worker)) continue;
      this.all[worker]!.flows[number] = undefined;
      await this.#update(worker, { flows: [], removed: [number], isResumed: false });
    }
    for (const [worker, part] of old) {
      const room = this.all[worker]!;
      for (const record of missing(part.legs, parts?.get(worker)?.legs)) {
        if (part.legs.get(record)!.transport.kind !== "trunk") this.#events.onLegGone(room.records, record);
        room.told[record] = 0;
        room.recordPool.give(record);
      }
      if (!parts?.has(worker)) room.flowPool.give(part.number);
    }
    this.#releaseSockets(before, flow);
  }

  #releaseSockets(before: FlowIntent, flow: FlowIntent | undefined): void {
    const kept = new Set([...(flow?.legs.values() ?? [])].map(({ sockets }) => sockets));
    const seen = new Set<LegSockets>();
    for (const { sockets, worker } of before.legs.values()) {
      if (sockets === undefined || kept.has(sockets) || seen.has(sockets)) continue;
      seen.add(sockets);
      this.#events.onSocketsGone(sockets, this.all[worker]!);
    }
  }

  #partsOf(flow: FlowIntent): ReadonlyMap<number, FlowPart> {
    const known = this.#parts.get(flow);
    if (known) return known;
    const parts = partsOf(flow);
    this.#parts.set(flow, parts);
    return parts;
  }
}
