// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { MessagePort } from "node:worker_threads";
import type { PluginConfig } from "@msm/xds-protos/envoy/extensions/wasm/v3/wasm_pb.js";
import { type Flow, type FlowEvent, FlowEvent_Kind } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { refuse } from "../config/refuse.ts";
import type { MediaSocketOptions, OpenMediaSocket } from "../io/io-backend.ts";
import type { Sample } from "../stats/sample.ts";
import { applyStep, emptyFlow } from "./apply-step.ts";
import { Attachments, type LinkHost } from "./attachments.ts";
import { ChainCache, type LoadFilter } from "./chain-cache.ts";
import { failedEvent, flowEvent, legEvent } from "./flow-events.ts";
import { type FlowIntent, type LegIntent, legsOf } from "./flow-intent.ts";
import { FlowRooms } from "./flow-rooms.ts";
import { FlowSamples } from "./flow-samples.ts";
import type { FlowChange, FlowNotice, FlowService, LiveFlow, SignallingAttachment } from "./flow-service.ts";
import { type FlowStep, stepBy, stepTo, stepToChain } from "./flow-step.ts";
import { type BoundLegs, LegBinder } from "./leg-binder.ts";
import { LegFlag } from "./leg-records.ts";
import { liveFlow } from "./live-flow.ts";
import { type MediaPorts, MediaSockets } from "./media-sockets.ts";
import { Trunks } from "./trunks.ts";
import type { FlowUpdate, WorkerChain, WorkerFlowEvent } from "./worker-flow.ts";

/** Copies of one datagram that cost about as much as handing it to another worker and waking that up. */
const DEFAULT_RECEIVERS_AT_HOME = 64;

/** Says what is to become of a flow. Throws a `ConfigError`. */
type ToStep = (before: FlowIntent | undefined) => FlowStep;

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
    this.#enqueue(owner, flow.id, () => this.#take(owner, flow.id, putAt, (before) => stepTo(flow, before)));
  }

  change(owner: string, flowId: string, change: FlowChange): void {
    const putAt = ++this.#puts;
    this.#enqueue(owner, flowId, () =>
      this.#take(owner, flowId, putAt, (before) => stepBy(change, before ?? refuseUnknown())),
    );
  }

  rechain(owner: string, flowId: string, chain: readonly PluginConfig[]): void {
    this.#enqueue(owner, flowId, () => this.#rechain(owner, flowId, chain));
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
    const leg = record < 0 ? undefined : room.legs[record];
    // One that is gone meanwhile is nobody's news.
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

  /** Brings a flow to another form, or opens it, and answers. */
  async #take(owner: string, id: string, putAt: number, toStep: ToStep): Promise<void> {
    const key = keyOf(owner, id);
    const before = this.#flows.get(key);
    let flow: FlowIntent;
    let legs: readonly LegIntent[];
    try {
      const step = toStep(before);
      const chain = await this.#chainFor(step, before);
      flow = before ?? emptyFlow(owner, id, this.#binder.takePlace(), chain, putAt);
      legs = await this.#step(flow, step, chain);
    } catch (error) {
      const event = failedEvent(id, error);
      this.#samples.countRefusal(event.code);
      if (before) this.#untold.add(key);
      this.#emit(owner, event, before?.worker ?? -1);
      return;
    }
    flow.putAt = putAt;
    // All legs of many readers at each of their joins would cost more than anything else.
    const news = this.#untold.delete(key) ? [...legsOf(flow)] : legs;
    this.#tell(flow, legEvent(FlowEvent_Kind.OPENED, flow.id, news, this.#rooms));
  }

  async #rechain(owner: string, id: string, plugins: readonly PluginConfig[]): Promise<void> {
    const flow = this.#flows.get(keyOf(owner, id));
    if (flow === undefined) return;
    try {
      const step = stepToChain(plugins, flow);
      await this.#step(flow, step, await this.#chainFor(step, flow));
    } catch (error) {
      this.#samples.countRefusal(failedEvent(id, error).code);
    }
  }

  /** The filters that a flow has after a step; those that it has where it asks for the same as before. */
  async #chainFor(step: FlowStep, before: FlowIntent | undefined): Promise<WorkerChain> {
    const { plugins: chain, sources, isSourceNew, legCount } = step;
    const countBefore = before === undefined ? 0 : before.sources.size + before.receivers.size;
    if (legCount > countBefore && this.#isShortOfMemory())
      refuse("MSM_FLOW_MEMORY", "", "this proxy has as much memory as it may; close flows or legs");
    if (before?.head.plugins === chain && !isSourceNew) return before.head.chain;
    return this.#chains.take({ chain, sources });
  }

  /** Takes a step of a flow, and tells its workers. Returns the legs that are new or different. */
  async #step(flow: FlowIntent, step: FlowStep, chain: WorkerChain): Promise<readonly LegIntent[]> {
    const key = keyOf(flow.owner, flow.id);
    let bound: BoundLegs;
    try {
      bound = await this.#binder.bind(step, flow);
    } catch (error) {
      if (!this.#flows.has(key)) this.#rooms.all[flow.worker]!.flowPool.give(flow.number);
      throw error;
    }
    const left = applyStep(flow, step, bound, chain);
    this.#flows.set(key, flow);
    this.#rooms.note(flow, bound.legs);
    for (const { worker } of bound.branches) this.#trunks.open(flow.worker, worker);
    await this.#rooms.settle(flow, left);
    return bound.legs;
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
    for (const leg of legsOf(flow)) {
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

function refuseUnknown(): never {
  return refuse("MSM_FLOW_INVALID", "id", "there is no such flow to change; put it first");
}
