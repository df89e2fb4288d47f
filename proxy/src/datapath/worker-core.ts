// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import { SessionMatcher } from "../cluster/session-matcher.ts";
import type { LegRecords } from "../flow/leg-records.ts";
import { FlowWorker } from "../flow/worker/flow-worker.ts";
import type { WorkerFlowEvent } from "../flow/worker-flow.ts";
import type { IoEvents, WorkerIo } from "../io/io-backend.ts";
import { FIRST_SESSION_CONTEXT, Stage } from "../wasm/abi.ts";
import { FilterChain } from "../wasm/filter-chain.ts";
import type { FilterEnvironment } from "../wasm/filter-environment.ts";
import { Vital, type WorkerListener, type WorkerUpdate } from "../worker/protocol.ts";
import { Admission } from "./admission.ts";
import { ClusterSlot, type CounterPage, EndpointSlot, ListenerSlot, WorkerCounter } from "./counters.ts";
import type { LiveStream } from "./datapath.ts";
import { EndpointDirectory } from "./endpoint-directory.ts";
import { FLOWS } from "./flows-name.ts";
import type { ListenerLimits } from "./listener-limits.ts";
import { listenerChainOf, runListenerStage } from "./listener-stage.ts";
import { monotonicMs } from "./monotonic-clock.ts";
import { OutgoingSender } from "./outgoing-sender.ts";
import { type Ring, SlotState } from "./ring.ts";
import { SessionKeeper } from "./session-keeper.ts";
import type { SessionTable } from "./session-table.ts";
import type { RunningListener } from "./worker-listener.ts";

/** What the core is made of; all of it but `io` is the worker's for good. */
export interface CoreParts {
  readonly index: number;
  readonly ring: Ring;
  readonly sessions: SessionTable;
  readonly legs: LegRecords;
  readonly counters: CounterPage;
  /** The counters of every worker. */
  readonly pages: readonly CounterPage[];
  readonly vitals: Float64Array;
  readonly io: WorkerIo;
  /** What filters of this listener may use. */
  readonly environment: (listener: string) => FilterEnvironment;
  readonly onControl: (message: unknown) => void;
  readonly onFlowEvent: (event: WorkerFlowEvent) => void;
}

/**
 * What a worker does with datagrams: finds or opens their session, runs the listener's filter chain over them and
 * lets the I/O send what is left. It does no I/O and reads no clock itself.
 */
export class WorkerCore implements IoEvents {
  readonly onControl: (message: unknown) => void;
  /** The flows of this worker. */
  readonly flows: FlowWorker;
  readonly #parts: CoreParts;
  readonly #ring: Ring;
  readonly #sessions: SessionTable;
  readonly #counters: CounterPage;
  readonly #io: WorkerIo;
  readonly #endpoints: EndpointDirectory;
  readonly #keeper: SessionKeeper;
  readonly #outgoing: OutgoingSender;
  /** The listeners whose filters have something to send, or sessions to be closed. */
  readonly #leaving = new Set<RunningListener>();
  readonly #listeners: (RunningListener | undefined)[] = [];
  #nowMs = 0;
  #nextTickMs = Number.POSITIVE_INFINITY;

  constructor(parts: CoreParts) {
    this.#parts = parts;
    this.onControl = parts.onControl;
    this.#ring = parts.ring;
    this.#sessions = parts.sessions;
    this.#counters = parts.counters;
    this.#io = parts.io;
    this.#endpoints = new EndpointDirectory(parts.index, parts.pages);
    this.flows = new FlowWorker({ ...parts, environment: parts.environment(FLOWS) });
    this.#keeper = new SessionKeeper({ ...parts, endpoints: this.#endpoints, listeners: this.#listeners });
    this.#outgoing = new OutgoingSender(parts);
  }

  get isStopRequested(): boolean {
    return this.#parts.vitals[Vital.stop] !== 0;
  }

  onTurnStart(nowMs: number): void {
    this.#nowMs = nowMs;
    this.#parts.vitals[Vital.turnStartMs] = nowMs;
  }

  onTurnEnd(): void {
    this.#parts.vitals[Vital.turnStartMs] = 0;
  }

  onTurn(nowMs: number): number {
    this.#nowMs = nowMs;
    if (nowMs >= this.#nextTickMs) this.#tick();
    if (nowMs >= this.#keeper.nextSweepMs) this.#keeper.sweep(nowMs);
    return Math.min(this.#nextTickMs, this.#keeper.nextSweepMs, this.flows.onTurn(nowMs)) - nowMs;
  }

  onDownstream(listenerId: number): void {
    const listener = this.#listeners[listenerId];
    if (listener === undefined) return;
    const ring = this.#ring;
    let bytes = 0;
    let previous = -1;
    if (listener.listenerChain !== undefined) this.#runListenerStage(listener, listener.listenerChain);
    listener.admission?.begin(this.#nowMs);
    for (let slot = 0; slot < ring.slots; slot++) {
      const isGone = ring.slotState[slot] === SlotState.Dropped;
      previous = isGone ? -1 : this.#admit(listener, slot, previous);
      ring.session[slot] = previous;
      bytes += ring.slotLength[slot]!;
      if (previous < 0) ring.slotState[slot] = SlotState.Dropped;
      else {
        this.#assign(slot, previous, listener);
        this.#counters[this.#sessions.endpointCounters(previous) + EndpointSlot.bytes]! +=
          ring.slotLength[slot]!;
      }
    }
    const { counters } = listener;
    this.#counters[counters + ListenerSlot.rxDatagrams]! += ring.count;
    this.#counters[counters + ListenerSlot.rxBytes]! += bytes;
    const overflows = this.#io.takeReceiveOverflows(listenerId);
    if (overflows > 0) this.#counters[counters + ListenerSlot.dropReceiveOverflow]! += overflows;
    if (!listener.chain.isEmpty) this.#runChain(listener, 0, ring.slots, false);
    this.#io.sendUpstream(0, ring.slots);
    this.#countSentUpstream(listener);
    if (this.#leaving.size > 0) this.#sendOutgoing();
  }

  onUpstream(): void {
    const ring = this.#ring;
    // Slots of one listener mostly stand together: each run of them goes through its listener's chain.
    for (let slot = 0, end = 0; slot < ring.slots; slot = end) {
      if (ring.session[slot]! < 0) {
        this.#counters[WorkerCounter.strangers]! += ring.descriptorCount[slot]!;
        end = slot + 1;
        continue;
      }
      const listener = this.#listeners[this.#sessions.listener(ring.session[slot]!)];
      for (end = slot; end < ring.slots && ring.session[end]! >= 0; end++) {
        if (this.#listeners[this.#sessions.listener(ring.session[end]!)] !== listener) break;
        this.#assign(end, ring.session[end]!, listener);
        const cluster = this.#sessions.clusterCounters(ring.session[end]!);
        const endpoint = this.#sessions.endpointCounters(ring.session[end]!);
        this.#counters[cluster + ClusterSlot.rxDatagrams]! += ring.descriptorCount[end]!;
        this.#counters[endpoint + EndpointSlot.rxDatagrams]! += ring.descriptorCount[end]!;
        this.#counters[endpoint + EndpointSlot.bytes]! += ring.slotLength[end]!;
      }
      if (listener === undefined) continue;
      if (!listener.chain.isEmpty) this.#runChain(listener, slot, end, true);
      this.#io.sendDownstream(slot, end);
      this.#countSentDownstream(listener);
    }
    if (this.#leaving.size > 0) this.#sendOutgoing();
  }

  onMedia(): void {
    this.flows.onMedia(this.#nowMs);
  }

  onWake(): void {
    this.flows.onWake(this.#nowMs);
  }

  onSentUpstream(session: number, datagrams: number): void {
    this.#counters[this.#sessions.clusterCounters(session) + ClusterSlot.txDatagrams]! += datagrams;
    this.#counters[this.#sessions.endpointCounters(session) + EndpointSlot.txDatagrams]! += datagrams;
  }

  onSocketError(session: number): void {
    this.#counters[this.#sessions.clusterCounters(session) + ClusterSlot.txErrors]! += 1;
    const endpoint = this.#endpoints.endpoint(this.#sessions.endpointId(session));
    if (endpoint) this.#counters[endpoint.counters + EndpointSlot.errors]! += 1;
  }

  /** Takes over what changed. Between batches, so that each datagram meets one configuration. */
  apply(update: WorkerUpdate): void {
    // 100,000 endpoints take longer than a turn may last: the watchdog looks at one cluster at a time.
    const markProgress = () => {
      this.#parts.vitals[Vital.turnStartMs] = monotonicMs();
    };
    this.#endpoints.update(update.clusters, update.removedClusters, markProgress);
    for (const id of update.removedListeners) this.#removeListener(id);
    for (const listener of update.listeners) this.#setListener(listener);
    this.#keeper.closeOrphans();
    this.#nextTickMs = this.#nowMs;
  }

  /** Resumes receiving for the sessions that an earlier incarnation of this worker left. Call after the first `apply`. */
  adoptSessions(): void {
    this.#keeper.adopt();
  }

  /** What the filters tell of their streams. */
  streams(): readonly LiveStream[] {
    const ofListeners = this.#listeners.flatMap((listener) =>
      (listener?.chain.streams() ?? [])
        .filter(({ session }) => this.#sessions.isOpen(session))
        .map((stream) => {
          const peers = this.#keeper.peers(stream.session);
          return { ...stream, ...peers, listener: listener!.name, worker: this.#parts.index };
        }),
    );
    return [...ofListeners, ...this.flows.streams(this.#parts.index)];
  }

  /** Shows what came to the filters that run before sessions are looked for. */
  #runListenerStage(listener: RunningListener, chain: FilterChain): void {
    if (runListenerStage(listener.id, chain, this.#ring, this.#io, this.#nowMs))
      this.#countSentDownstream(listener);
    this.#nextTickMs = Math.min(this.#nextTickMs, chain.nextMs);
  }

  /** Shows the datagrams of slots [first, end) to the filters. */
  #runChain(listener: RunningListener, first: number, end: number, isUpstream: boolean): void {
    const { chain } = listener;
    const ring = this.#ring;
    let count = 0;
    for (let slot = first; slot < end; slot++) {
      const context = ring.session[slot]! + FIRST_SESSION_CONTEXT;
      if (ring.slotIsDescribed[slot] === 0) ring.describe(slot, context);
      else ring.assign(slot, context);
      count += ring.descriptorCount[slot]!;
    }
    if (chain.run(ring, ring.firstDescriptor[first]!, count, isUpstream, this.#nowMs * 1e6)) {
      for (let slot = first; slot < end; slot++) {
        if (ring.slotState[slot] === SlotState.Whole) ring.slotState[slot] = SlotState.Apart;
      }
    }
    if (chain.hasOutgoing) this.#leaving.add(listener);
    // A filter may have set a timer that is due before the next tick.
    this.#nextTickMs = Math.min(this.#nextTickMs, chain.nextMs);
  }

  /** Sends what filters have outside of the ring, whose own batch was sent, and closes the sessions that they want closed. */
  #sendOutgoing(): void {
    for (const listener of this.#leaving) {
      const { chain } = listener;
      if (chain.outgoing !== null) {
        const lost = this.#outgoing.send(
          chain.outgoing,
          (isToClient) => {
            if (isToClient) this.#countSentDownstream(listener);
            else this.#countSentUpstream(listener);
          },
          (session, target) => this.#keeper.targetSession(listener, session, target, this.#nowMs),
        );
        if (lost > 0) chain.noteLost(lost);
        chain.releaseOutgoing();
      }
      for (const session of chain.takeCloseRequests()) {
        if (this.#sessions.isOpen(session)) this.#keeper.close(session);
      }
    }
    this.#leaving.clear();
  }

  /** The session of a slot from a client, or -1 where what is in it must not go on. */
  #admit(listener: RunningListener, slot: number, previous: number): number {
    const { admission } = listener;
    if (admission === undefined) return this.#keeper.sessionOf(listener, slot, previous, this.#nowMs);
    const count = this.#ring.descriptorCount[slot]!;
    let refusal: number = ListenerSlot.dropRateLimit;
    if (admission.takes(count)) {
      const session = this.#keeper.sessionOf(listener, slot, previous, this.#nowMs);
      if (session < 0 || admission.takesFrom(session, count, this.#nowMs)) return session;
      refusal = ListenerSlot.dropSourceRateLimit;
    }
    this.#counters[listener.counters + refusal]! += count;
    return -1;
  }

  /** Notes that a session is alive, and drops what is too large for its listener. */
  #assign(slot: number, session: number, listener: RunningListener | undefined): void {
    const { slotSegment, slotState, descriptorCount } = this.#ring;
    this.#sessions.touch(session, this.#nowMs);
    if (listener === undefined || slotSegment[slot]! <= listener.maxRxDatagramBytes) return;
    slotState[slot] = SlotState.Dropped;
    this.#counters[listener.counters + ListenerSlot.dropTooLarge]! += descriptorCount[slot]!;
  }

  #countSentUpstream(listener: RunningListener): void {
    const { sent } = this.#io;
    this.#counters[listener.counters + ListenerSlot.dropSendOverflow]! += sent.overflows;
    this.#counters[listener.counters + ListenerSlot.dropSendError]! += sent.errors;
    sent.datagrams = sent.bytes = sent.overflows = sent.errors = 0;
  }

  #countSentDownstream(listener: RunningListener): void {
    const { sent } = this.#io;
    this.#counters[listener.counters + ListenerSlot.txDatagrams]! += sent.datagrams;
    this.#counters[listener.counters + ListenerSlot.txBytes]! += sent.bytes;
    this.#counters[listener.counters + ListenerSlot.txErrors]! += sent.errors;
    this.#countSentUpstream(listener);
  }

  #setListener({ id, plan, localAddress, socket, counters }: WorkerListener): void {
    const known = this.#listeners[id];
    const chain = known
      ? known.chain.replace(plan.filters, this.#keeper.resumedSessions(id))
      : FilterChain.create(plan.filters, this.#environment(plan.name));
    const environment = { ...this.#parts.environment(plan.name), local: localAddress };
    const listenerChain = listenerChainOf(known, plan, environment);
    const { name, cluster, rules, hashPolicy, idleTimeoutMs, maxRxDatagramBytes, preferGro } = plan;
    this.#listeners[id] = {
      id,
      name,
      local: localAddress,
      cluster,
      matcher: rules && new SessionMatcher(rules, cluster),
      hashPolicy,
      idleTimeoutMs,
      maxRxDatagramBytes,
      preferGro,
      counters,
      admission: this.#admissionOf(id, counters, plan.limits),
      chain,
      listenerChain,
    };
    if (!known) for (const info of this.#keeper.resumedSessions(id)) chain.openSession(info);
    // Which session a datagram is of is asked for each slot.
    this.#io.setListener(id, socket, preferGro && listenerChain === undefined);
  }

  /** Limits that did not change go on as they were: a reload must not fill buckets. */
  #admissionOf(id: number, counters: number, limits: ListenerLimits | undefined): Admission | undefined {
    const known = this.#listeners[id]?.admission;
    if (limits === undefined || isDeepStrictEqual(limits, known?.limits)) return limits && known;
    const admission = new Admission(limits, { ...this.#parts, listenerCounters: counters });
    admission.adopt(this.#sessions, id);
    return admission;
  }

  #environment(listener: string): FilterEnvironment {
    const routeSession = (session: number, endpoint: string): boolean =>
      this.#sessions.isOpen(session) && this.#keeper.route(session, endpoint);
    return {
      ...this.#parts.environment(listener),
      stage: Stage.Session,
      routeSession,
      sendsToTargets: true,
    };
  }

  #removeListener(id: number): void {
    const listener = this.#listeners[id];
    if (listener === undefined) return;
    this.#io.removeListener(id);
    this.#keeper.closeAll(id);
    listener.chain.close();
    this.#listeners[id] = undefined;
  }

  #tick(): void {
    let wait = Number.POSITIVE_INFINITY;
    for (const listener of this.#listeners) {
      if (listener === undefined) continue;
      wait = Math.min(wait, listener.listenerChain?.tick(this.#nowMs) ?? Number.POSITIVE_INFINITY);
      if (listener.chain.isEmpty) continue;
      wait = Math.min(wait, listener.chain.tick(this.#nowMs));
      if (listener.chain.hasOutgoing) this.#leaving.add(listener);
    }
    this.#nextTickMs = this.#nowMs + wait;
    if (this.#leaving.size > 0) this.#sendOutgoing();
  }
}
