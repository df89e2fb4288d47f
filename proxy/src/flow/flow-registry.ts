// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { MessagePort } from "node:worker_threads";
import { type Flow, type FlowEvent, FlowEvent_Kind } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { refuse } from "../config/refuse.ts";
import type { MediaSocketOptions, OpenMediaSocket } from "../io/io-backend.ts";
import type { Sample } from "../stats/sample.ts";
import { Attachments, type LinkHost } from "./attachments.ts";
import { ChainCache, type LoadFilter } from "./chain-cache.ts";
import { failedEvent, flowEvent, legEvent } from "./flow-events.ts";
import { changedLegs, changeOf, type FlowIntent, type LegIntent, removedRecords } from "./flow-intent.ts";
import { FlowSamples } from "./flow-samples.ts";
import type { FlowNotice, FlowService, LiveFlow, SignallingAttachment } from "./flow-service.ts";
import { LegBinder, type WorkerRoom } from "./leg-binder.ts";
import { LegFlag, LegRecords } from "./leg-records.ts";
import { liveFlow } from "./live-flow.ts";
import { type MediaPorts, MediaSockets } from "./media-sockets.ts";
import { NumberPool } from "./number-pool.ts";
import { type LegCache, readFlow } from "./read-flow.ts";
import type { FlowUpdate, WorkerFlowEvent } from "./worker-flow.ts";

/** The most flows of one worker; sockets and legs are bounded besides. */
const MOST_FLOWS = 16_384;

/** What flows need of the pool of workers. */
export interface FlowHost extends LinkHost {
  /** By worker: the memory of its legs. */
  readonly legs: readonly WebAssembly.Memory[];
  openSocket(options: MediaSocketOptions): Promise<OpenMediaSocket>;
  /** Resolves when the worker, or one that replaces it, has taken the update over. */
  update(worker: number, update: FlowUpdate): Promise<void>;
  readonly loadFilter: LoadFilter | undefined;
  readonly ports: MediaPorts;
}

interface Room extends WorkerRoom {
  readonly flowPool: NumberPool;
  /** By number. */
  readonly flows: (FlowIntent | undefined)[];
  /** By record: whether the owner knows that the leg was heard. */
  readonly told: Uint8Array;
}

/** The flows of all workers: the intent, the sockets, and the answers to owners. */
export class FlowRegistry implements FlowService {
  readonly #host: FlowHost;
  readonly #rooms: readonly Room[];
  readonly #sockets: MediaSockets;
  readonly #binder: LegBinder;
  readonly #chains: ChainCache;
  readonly #attachments: Attachments;
  readonly #samples: FlowSamples;
  readonly #legCache: LegCache = new WeakMap();
  readonly #flows = new Map<string, FlowIntent>();
  /** Flows that could not be changed: their owner does not know which of its legs are as it put them. */
  readonly #untold = new Set<string>();
  /** By flow: the work that is under way, one piece after the other. */
  readonly #tails = new Map<string, Promise<void>>();
  readonly #owners = new Map<string, Set<(notice: FlowNotice) => void>>();
  readonly #lingers = new Set<NodeJS.Timeout>();
  #puts = 0;

  constructor(host: FlowHost) {
    this.#host = host;
    this.#rooms = host.legs.map((memory) => {
      const records = new LegRecords(memory);
      const recordPool = new NumberPool(records.capacity);
      const socketPool = new NumberPool(Number.POSITIVE_INFINITY);
      return {
        records,
        recordPool,
        socketPool,
        flowPool: new NumberPool(MOST_FLOWS),
        flows: [],
        told: new Uint8Array(records.capacity),
      };
    });
    this.#sockets = new MediaSockets((options) => host.openSocket(options), host.ports);
    this.#binder = new LegBinder(this.#sockets);
    this.#chains = new ChainCache(host.loadFilter);
    this.#attachments = new Attachments(host);
    this.#samples = new FlowSamples();
  }

  put(owner: string, flow: Flow): void {
    const putAt = ++this.#puts;
    this.#enqueue(owner, flow.id, () => this.#put(owner, flow, putAt));
  }

  close(owner: string, flowId: string): void {
    this.#enqueue(owner, flowId, () => this.#close(owner, flowId));
  }

  release(owner: string, lingerMs: number): void {
    const releasedAt = this.#puts;
    const timer = setTimeout(() => {
      this.#lingers.delete(timer);
      for (const flow of this.#flows.values())
        if (flow.owner === owner && flow.putAt <= releasedAt) this.close(owner, flow.id);
    }, lingerMs);
    timer.unref();
    this.#lingers.add(timer);
  }

  subscribe(owner: string, onEvent: (notice: FlowNotice) => void): () => void {
    const watchers = this.#owners.get(owner) ?? new Set();
    this.#owners.set(owner, watchers.add(onEvent));
    return () => {
      watchers.delete(onEvent);
      if (watchers.size === 0 && this.#owners.get(owner) === watchers) this.#owners.delete(owner);
    };
  }

  flows(): readonly LiveFlow[] {
    return [...this.#flows.values()].map((flow) => liveFlow(flow, this.#rooms[flow.worker]!.records));
  }

  attach(port: MessagePort): SignallingAttachment {
    return this.#attachments.attach(port);
  }

  /** Everything that a worker should do now: what a new incarnation starts from. */
  intent(worker: number, isResumed: boolean): FlowUpdate {
    const flows = this.#rooms[worker]!.flows.filter((flow) => flow !== undefined);
    for (const flow of flows) this.#tellUnheard(flow);
    return { flows: flows.map((flow) => changeOf(flow, undefined)), removed: [], isResumed };
  }

  /** Connects a new incarnation of a worker with the signalling workers. */
  relink(worker: number): void {
    this.#attachments.relink(worker);
  }

  /** Takes what a worker tells of its flows. */
  onWorkerEvent(worker: number, { flow: number, kind, leg: record }: WorkerFlowEvent): void {
    const room = this.#rooms[worker]!;
    const flow = room.flows[number];
    if (flow === undefined) return;
    const leg = record < 0 ? undefined : [...flow.legs.values()].find((each) => each.record === record);
    if (record >= 0 && leg === undefined) return;
    if (leg) room.told[record] = 1;
    this.#tell(flow, legEvent(FlowEvent_Kind[kind], flow.id, leg ? [leg] : [], room.records));
  }

  samples(): readonly Sample[] {
    const running = [...this.#flows.values()].map((flow) => ({
      flow,
      records: this.#rooms[flow.worker]!.records,
    }));
    return this.#samples.collect(running, this.#attachments.dropped());
  }

  /** Lets go of signalling workers, before the datapath workers stop. */
  detachAll(): void {
    this.#attachments.close();
  }

  /** Lets go of every socket; the workers are gone. */
  shutDown(): void {
    for (const timer of this.#lingers) clearTimeout(timer);
    for (const flow of this.#flows.values()) this.#releaseSockets(flow, undefined);
    this.#flows.clear();
  }

  #enqueue(owner: string, id: string, work: () => Promise<void>): void {
    const key = keyOf(owner, id);
    const tail = (this.#tails.get(key) ?? Promise.resolve()).then(work);
    this.#tails.set(key, tail);
    void tail.finally(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
  }

  async #put(owner: string, message: Flow, putAt: number): Promise<void> {
    const key = keyOf(owner, message.id);
    const before = this.#flows.get(key);
    let flow: FlowIntent;
    try {
      flow = await this.#build(owner, message, putAt, before);
    } catch (error) {
      const event = failedEvent(message.id, error);
      this.#samples.countRefusal(event.code);
      if (before) this.#untold.add(key);
      this.#emit(owner, event, before?.worker ?? -1);
      return;
    }
    const room = this.#rooms[flow.worker]!;
    this.#flows.set(key, flow);
    room.flows[flow.number] = flow;
    const flows = [changeOf(flow, before)];
    await this.#host.update(flow.worker, { flows, removed: [], isResumed: false });
    if (before) this.#release(before, flow);
    // All legs of many readers at each of their joins would cost more than anything else.
    const news = changedLegs(flow, this.#untold.delete(key) ? undefined : before);
    this.#tell(flow, legEvent(FlowEvent_Kind.OPENED, flow.id, news, room.records));
  }

  async #build(
    owner: string,
    message: Flow,
    putAt: number,
    before: FlowIntent | undefined,
  ): Promise<FlowIntent> {
    const plan = readFlow(message, this.#legCache);
    const chain = await this.#chains.take(plan);
    const worker = before?.worker ?? this.#leastLoaded();
    const room = this.#rooms[worker]!;
    const number = before?.number ?? room.flowPool.take();
    if (number < 0) refuse("MSM_FLOW_LIMIT", "", `there are ${MOST_FLOWS} flows; close some`);
    let legs: ReadonlyMap<string, LegIntent>;
    try {
      legs = await this.#binder.bind(plan, before, room);
    } catch (error) {
      if (before === undefined) room.flowPool.give(number);
      throw error;
    }
    const { id, stream, idleMs, activeSource } = plan;
    const active = activeSource === undefined ? -1 : legs.get(activeSource)!.record;
    return { owner, id, worker, number, stream, idleMs, chain, activeSource: active, legs, putAt };
  }

  async #close(owner: string, id: string): Promise<void> {
    const key = keyOf(owner, id);
    const flow = this.#flows.get(key);
    if (flow) {
      const room = this.#rooms[flow.worker]!;
      this.#flows.delete(key);
      this.#untold.delete(key);
      room.flows[flow.number] = undefined;
      await this.#host.update(flow.worker, { flows: [], removed: [flow.number], isResumed: false });
      this.#release(flow, undefined);
      room.flowPool.give(flow.number);
    }
    this.#emit(owner, flowEvent(FlowEvent_Kind.CLOSED, id), -1);
  }

  /** Gives back what a flow's new form, or nobody, needs any more. The worker has let go of it. */
  #release(before: FlowIntent, flow: FlowIntent | undefined): void {
    const room = this.#rooms[before.worker]!;
    for (const record of removedRecords(flow, before)) {
      this.#samples.retire(room.records, record);
      room.told[record] = 0;
      room.recordPool.give(record);
    }
    this.#releaseSockets(before, flow);
  }

  #releaseSockets(before: FlowIntent, flow: FlowIntent | undefined): void {
    const kept = new Set([...(flow?.legs.values() ?? [])].map(({ sockets }) => sockets));
    const gone = new Set([...before.legs.values()].map(({ sockets }) => sockets));
    for (const sockets of gone)
      if (sockets && !kept.has(sockets)) this.#binder.release(sockets, this.#rooms[before.worker]!);
  }

  /** What a worker heard just before it died its message may not have reached the owner. */
  #tellUnheard(flow: FlowIntent): void {
    const { records, told } = this.#rooms[flow.worker]!;
    for (const leg of flow.legs.values()) {
      const { record } = leg;
      if (told[record] !== 0 || !records.has(record, LegFlag.Heard)) continue;
      told[record] = 1;
      this.#tell(flow, legEvent(FlowEvent_Kind.FIRST_PACKET, flow.id, [leg], records));
    }
  }

  /** Flows count beside their legs: those that are opened at the same time have no legs yet. */
  #leastLoaded(): number {
    const loads = this.#rooms.map(({ recordPool, flowPool }) => recordPool.size + flowPool.size);
    return loads.indexOf(Math.min(...loads));
  }

  #tell(flow: FlowIntent, event: FlowEvent): void {
    this.#emit(flow.owner, event, flow.worker);
  }

  #emit(owner: string, event: FlowEvent, worker: number): void {
    for (const watch of this.#owners.get(owner) ?? []) watch({ event, worker });
  }
}

/** No name has a zero byte: it would not be legal in the JSON of most owners, and is harmless where it is. */
function keyOf(owner: string, id: string): string {
  return `${owner}\u0000${id}`;
}
