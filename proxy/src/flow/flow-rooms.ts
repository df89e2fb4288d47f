// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Leftovers } from "./apply-step.ts";
import { type FlowIntent, type LegIntent, type LegSockets, legsOf } from "./flow-intent.ts";
import type { WorkerRoom } from "./leg-binder.ts";
import { LegRecords } from "./leg-records.ts";
import { NumberPool } from "./number-pool.ts";
import { MOST_FLOWS } from "./trunk.ts";
import type { FlowUpdate } from "./worker-flow.ts";

/** What one worker has for flows, as the main thread knows it. */
export interface Room extends WorkerRoom {
  /** By number: flows of this worker, and those that it has a branch of. */
  readonly flows: (FlowIntent | undefined)[];
  /** By record: whose it is, and whether the owner knows that the leg was heard. */
  readonly legs: (LegIntent | undefined)[];
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
        legs: [],
        told: new Uint8Array(records.capacity),
      };
    });
  }

  /** The records in which a leg's worker writes. */
  recordsOf({ worker }: LegIntent): LegRecords {
    return this.all[worker]!.records;
  }

  /** Everything of flows that a worker should do now, which it counts as told. */
  intent(worker: number, isResumed: boolean): FlowUpdate {
    const flows = this.all[worker]!.flows.filter((flow) => flow !== undefined);
    const told = flows.map((flow) => flow.parts.get(worker)!.takeAll(flow));
    return { flows: told, removed: [], isResumed };
  }

  /** Notes where the parts of a flow and these legs of it are, for what workers tell of them. */
  note(flow: FlowIntent, legs: readonly LegIntent[]): void {
    for (const [worker, { number }] of flow.parts) this.all[worker]!.flows[number] = flow;
    for (const leg of legs) this.all[leg.worker]!.legs[leg.record] = leg;
  }

  /** Tells the workers of a flow what changed, as far as it cannot wait, and gives back what the flow has no more. */
  async settle(flow: FlowIntent, left: Leftovers): Promise<void> {
    // Branches first: what the flow sends them finds its receivers.
    const branches = [...flow.parts.keys()].filter((worker) => worker !== flow.worker);
    await Promise.all(branches.map((worker) => this.#tell(flow, worker)));
    await this.#tell(flow, flow.worker);
    for (const { worker, number } of left.branches) await this.#removePart(worker, number);
    this.#give(flow, left);
  }

  /** Takes a flow away from its workers. */
  async remove(flow: FlowIntent): Promise<void> {
    // The flow itself first: then nothing is sent to branches that are gone.
    for (const [worker, { number }] of flow.parts) await this.#removePart(worker, number);
    const branches = [...flow.parts.values()].flatMap(({ branch }) => branch ?? []);
    this.#give(flow, { legs: [...legsOf(flow)], sockets: [...flow.groups.values()], branches });
    this.all[flow.worker]!.flowPool.give(flow.number);
  }

  /** Gives back the sockets of flows; the workers are gone. */
  closeSockets({ groups }: FlowIntent): void {
    for (const { sockets, worker } of groups.values()) this.#events.onSocketsGone(sockets, this.all[worker]!);
  }

  async #tell(flow: FlowIntent, worker: number): Promise<void> {
    const part = flow.parts.get(worker);
    if (part?.isUrgent !== true) return;
    await this.#update(worker, { flows: [part.takeNews(flow)], removed: [], isResumed: false });
  }

  async #removePart(worker: number, number: number): Promise<void> {
    this.all[worker]!.flows[number] = undefined;
    await this.#update(worker, { flows: [], removed: [number], isResumed: false });
  }

  #give(flow: FlowIntent, { legs, sockets, branches }: Leftovers): void {
    for (const { worker, record } of legs) {
      const room = this.all[worker]!;
      this.#events.onLegGone(room.records, record);
      room.told[record] = 0;
      room.legs[record] = undefined;
      room.recordPool.give(record);
    }
    for (const { worker, number, near, far } of branches) {
      this.all[flow.worker]!.recordPool.give(near.record);
      this.all[worker]!.recordPool.give(far.record);
      this.all[worker]!.flowPool.give(number);
    }
    for (const { sockets: gone, worker } of sockets) this.#events.onSocketsGone(gone, this.all[worker]!);
  }
}
