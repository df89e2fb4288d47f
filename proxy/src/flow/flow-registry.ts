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
import { changedLegs, type FlowIntent, type LegIntent } from "./flow-intent.ts";
import { FlowRooms } from "./flow-rooms.ts";
import { FlowSamples } from "./flow-samples.ts";
import type { FlowNotice, FlowService, LiveFlow, SignallingAttachment } from "./flow-service.ts";
import { type BoundFlow, LegBinder } from "./leg-binder.ts";
import { LegFlag } from "./leg-records.ts";
import { liveFlow } from "./live-flow.ts";
import { type MediaPorts, MediaSockets } from "./media-sockets.ts";
import { type LegCache, readFlow } from "./read-flow.ts";
import { Trunks } from "./trunks.ts";
import type { FlowUpdate, WorkerFlowEvent } from "./worker-flow.ts";

/** Copies of one datagram that cost about as much as handing it to another worker and waking that up. */
const DEFAULT_RECEIVERS_AT_HOME = 64;

/** What flows need of the pool of workers. */
export interface FlowHost extends LinkHost {
  /** By worker: the memory of its legs. */
  readonly legs: readonly WebAssembly.Memory[];
  openSocket(options: MediaSocketOptions): Promise<OpenMediaSocket>;
  /** Resolves when the worker, or one that replaces it, has taken the update over. */
  update(worker: number, update: FlowUpdate): Promise<void>;
  readonly loadFilter: LoadFilter | undefined;
  readonly ports: MediaPorts;
  /** Receivers of a flow that its own worker serves before other workers serve some; 64 unless said. */
  readonly receiversAtHome?: number | undefined;
  /** Whether the process has as much memory as it may. */
  isShortOfMemory(): boolean;
}

/** The flows of all workers: the intent, the sockets, and the answers to owners. */
export class FlowRegistry implements FlowService {
  readonly #rooms: FlowRooms;
  readonly #isShortOfMemory: () => boolean;
  readonly #binder: LegBinder;
  readonly #chains: ChainCache;
  readonly #attachments: Attachments;
  readonly #trunks: Trunks;
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
    this.#samples = new FlowSamples();
    this.#isShortOfMemory = () => host.isShortOfMemory();
    this.#rooms = new FlowRooms(host.legs, (worker, update) => host.update(worker, update), {
      onLegGone: (records, record) => this.#samples.retire(records, record),
      onSocketsGone: (sockets, room) => this.#binder.release(sockets, room),
    });
    this.#binder = new LegBinder(
      new MediaSockets((options) => host.openSocket(options), host.ports),
      this.#rooms.all,
      host.receiversAtHome ?? DEFAULT_RECEIVERS_AT_HOME,
    );
    this.#chains = new ChainCache(host.loadFilter);
    this.#attachments = new Attachments(host);
    this.#trunks = new Trunks(host);
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
    return [...this.#flows.values()].map((flow) => liveFlow(flow, this.#rooms));
  }

  attach(port: MessagePort): SignallingAttachment {
    return this.#attachments.attach(port);
  }

  /** Everything that a worker should do now: what a new incarnation starts from. */
  intent(worker: number, isResumed: boolean): FlowUpdate {
    for (const flow of this.#rooms.all[worker]!.flows) if (flow) this.#tellUnheard(flow);
    return this.#rooms.intent(worker, isResumed);
  }

  /** Connects a new incarnation of a worker with signalling workers and other workers. */
  relink(worker: number): void {
    this.#attachments.relink(worker);
    this.#trunks.relink(worker);
  }

  /** Takes what a worker tells of its flows. */
  onWorkerEvent(worker: number, { flow: number, kind, leg: record }: WorkerFlowEvent): void {
    const room = this.#rooms.all[worker]!;
    const flow = room.flows[number];
    if (flow === undefined) return;
    const isMeant = (leg: LegIntent): boolean => leg.record === record && leg.worker === worker;
    const leg = record < 0 ? undefined : [...flow.legs.values()].find(isMeant);
    if (record >= 0 && leg === undefined) return;
    if (leg) room.told[record] = 1;
    this.#tell(flow, legEvent(FlowEvent_Kind[kind], flow.id, leg ? [leg] : [], this.#rooms));
  }

  samples(): readonly Sample[] {
    const dropped = { interleaved: this.#attachments.dropped(), trunk: this.#trunks.dropped() };
    return this.#samples.collect([...this.#flows.values()], this.#rooms, dropped);
  }

  /** Lets go of signalling workers, before the datapath workers stop. */
  detachAll(): void {
    this.#attachments.close();
  }

  /** Lets go of every socket; the workers are gone. */
  shutDown(): void {
    for (const timer of this.#lingers) clearTimeout(timer);
    for (const flow of this.#flows.values()) this.#rooms.closeSockets(flow);
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
    this.#flows.set(key, flow);
    for (const worker of flow.branches.keys()) this.#trunks.open(flow.worker, worker);
    await this.#rooms.install(flow, before);
    // All legs of many readers at each of their joins would cost more than anything else.
    const news = changedLegs(flow, this.#untold.delete(key) ? undefined : before);
    this.#tell(flow, legEvent(FlowEvent_Kind.OPENED, flow.id, news, this.#rooms));
  }

  async #build(
    owner: string,
    message: Flow,
    putAt: number,
    before: FlowIntent | undefined,
  ): Promise<FlowIntent> {
    const plan = readFlow(message, this.#legCache);
    if (plan.legs.length > (before?.legs.size ?? 0) && this.#isShortOfMemory())
      refuse("MSM_FLOW_MEMORY", "", "this proxy has as much memory as it may; close flows or legs");
    const chain = await this.#chains.take(plan);
    const worker = before?.worker ?? this.#binder.leastLoaded();
    const number = before?.number ?? this.#binder.takeFlow(worker);
    let bound: BoundFlow;
    try {
      bound = await this.#binder.bind(plan, before, worker, number);
    } catch (error) {
      if (before === undefined) this.#rooms.all[worker]!.flowPool.give(number);
      throw error;
    }
    const { id, stream, idleMs } = plan;
    const activeSource = plan.activeSource === undefined ? -1 : bound.legs.get(plan.activeSource)!.record;
    return { owner, id, worker, number, stream, idleMs, chain, activeSource, ...bound, putAt };
  }

  async #close(owner: string, id: string): Promise<void> {
    const key = keyOf(owner, id);
    const flow = this.#flows.get(key);
    if (flow) {
      this.#flows.delete(key);
      this.#untold.delete(key);
      await this.#rooms.remove(flow);
    }
    this.#emit(owner, flowEvent(FlowEvent_Kind.CLOSED, id), -1);
  }

  /** What a worker heard just before it died its message may not have reached the owner. */
  #tellUnheard(flow: FlowIntent): void {
    for (const leg of flow.legs.values()) {
      const { record } = leg;
      const { records, told } = this.#rooms.all[leg.worker]!;
      if (told[record] !== 0 || !records.has(record, LegFlag.Heard)) continue;
      told[record] = 1;
      this.#tell(flow, legEvent(FlowEvent_Kind.FIRST_PACKET, flow.id, [leg], this.#rooms));
    }
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
