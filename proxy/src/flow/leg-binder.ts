// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { refuse } from "../config/refuse.ts";
import {
  type BranchIntent,
  type FlowIntent,
  type LegIntent,
  type LegSockets,
  legOf,
  type NumberedSocket,
} from "./flow-intent.ts";
import type { LegPlan, UdpPlan } from "./flow-plan.ts";
import type { FlowStep } from "./flow-step.ts";
import type { LegRecords } from "./leg-records.ts";
import type { MediaSockets } from "./media-sockets.ts";
import type { NumberPool } from "./number-pool.ts";
import { MOST_FLOWS, trunkAttachment } from "./trunk.ts";
import type { WorkerLeg, WorkerUdp } from "./worker-flow.ts";

/** What the legs of one worker's flows take. */
export interface WorkerRoom {
  readonly records: LegRecords;
  readonly recordPool: NumberPool;
  readonly socketPool: NumberPool;
  readonly flowPool: NumberPool;
}

/** The legs of a step with what they were given, and branches at workers that had nothing of the flow. */
export interface BoundLegs {
  readonly legs: readonly LegIntent[];
  readonly branches: readonly BranchIntent[];
}

/** What is taken while legs are bound, to be given back where that fails. */
interface Binding {
  readonly flow: FlowIntent;
  /** Those that the flow has not, by key. */
  readonly sockets: Map<string, LegSockets>;
  /** Receivers that the flow's own worker serves. */
  atHome: number;
  readonly undo: (() => void)[];
}

/** Gives the legs of a flow their workers, records and sockets; those that go on keep theirs. */
export class LegBinder {
  readonly #sockets: MediaSockets;
  readonly #rooms: readonly WorkerRoom[];
  readonly #mostAtHome: number;
  #epoch = 1;

  /** `mostAtHome` receivers of a flow are served by its own worker before others serve some. */
  constructor(sockets: MediaSockets, rooms: readonly WorkerRoom[], mostAtHome: number) {
    this.#sockets = sockets;
    this.#rooms = rooms;
    this.#mostAtHome = mostAtHome;
  }

  /**
   * Gives the legs of a step what they need. Throws a `ConfigError` where one cannot have it; then nothing is taken. The
   * flow does not change here.
   */
  async bind({ legs: wanted }: FlowStep, flow: FlowIntent): Promise<BoundLegs> {
    const atHome = flow.parts.get(flow.worker)!.receivers;
    const binding: Binding = { flow, sockets: new Map(), atHome, undo: [] };
    const legs: LegIntent[] = [];
    try {
      for (const { plan, path } of wanted)
        legs.push(await this.#bindLeg(plan, legOf(flow, plan.id), binding, path));
      return { legs, branches: this.#branches(legs, binding) };
    } catch (error) {
      for (const undo of binding.undo) undo();
      throw error;
    }
  }

  /** The worker with the fewest legs. Flows count beside them: those that are opened at the same time have no legs yet. */
  #leastLoaded(): number {
    const loads = this.#rooms.map(({ recordPool, flowPool }) => recordPool.size + flowPool.size);
    return loads.indexOf(Math.min(...loads));
  }

  /** Closes sockets that no leg uses any more. */
  release(sockets: LegSockets, { socketPool }: WorkerRoom): void {
    this.#sockets.close(sockets);
    socketPool.give(sockets.rtp.number);
    if (sockets.rtcp && sockets.rtcp !== sockets.rtp) socketPool.give(sockets.rtcp.number);
  }

  async #bindLeg(
    leg: LegPlan,
    known: LegIntent | undefined,
    binding: Binding,
    path: string,
  ): Promise<LegIntent> {
    const worker = this.#place(leg, known, binding);
    const kept = known?.plan.role === leg.role && known.worker === worker ? known : undefined;
    const sockets = await this.#socketsFor(leg, worker, binding, path);
    const record = kept?.record ?? this.#takeRecord(worker, binding, path);
    return { plan: leg, worker, record, sockets, told: this.#tell(leg, record, sockets, kept) };
  }

  /**
   * The worker that serves a leg. Sources, connections and ports that the owner chose are with the flow; other receivers
   * are spread over the workers where they are many, and stay where they are.
   */
  #place({ role, transport }: LegPlan, known: LegIntent | undefined, binding: Binding): number {
    const home = binding.flow.worker;
    if (role === "source") return home;
    const isFree = transport.kind === "udp" && transport.local.port === 0;
    if (isFree && known?.plan.role === role) return known.worker;
    if (isFree && binding.atHome >= this.#mostAtHome) {
      const worker = this.#leastLoaded();
      if (worker !== home) return worker;
    }
    binding.atHome++;
    return home;
  }

  async #socketsFor(
    { id, role, transport }: LegPlan,
    worker: number,
    { flow, sockets: groups, undo }: Binding,
    path: string,
  ): Promise<LegSockets | undefined> {
    if (transport.kind !== "udp") return undefined;
    const key = socketKey(id, role, worker, transport);
    const known = groups.get(key) ?? flow.groups.get(key)?.sockets;
    if (known) return known;
    const room = this.#rooms[worker]!;
    const { rtp, rtcp } = await this.#sockets.open(transport, role === "source", path);
    const first: NumberedSocket = { ...rtp, number: room.socketPool.take() };
    const second =
      rtcp === undefined ? undefined : rtcp === rtp ? first : { ...rtcp, number: room.socketPool.take() };
    const sockets = { key, rtp: first, rtcp: second };
    groups.set(key, sockets);
    undo.push(() => this.release(sockets, room));
    return sockets;
  }

  #branches(legs: readonly LegIntent[], binding: Binding): readonly BranchIntent[] {
    const { parts } = binding.flow;
    const workers = new Set(legs.map(({ worker }) => worker).filter((worker) => !parts.has(worker)));
    return [...workers].map((worker) => this.#makeBranch(worker, binding));
  }

  #makeBranch(worker: number, binding: Binding): BranchIntent {
    const { worker: home, number: flow } = binding.flow;
    const { undo } = binding;
    const number = this.#takeFlow(worker);
    undo.push(() => this.#rooms[worker]!.flowPool.give(number));
    const end = (role: "receiver" | "source", at: number, other: number): WorkerLeg => ({
      record: this.#takeRecord(at, binding, ""),
      id: "",
      role,
      isEnabled: true,
      transport: { kind: "trunk", attachment: trunkAttachment(other), flow },
      rewrite: undefined,
      clockRate: 0,
    });
    return { worker, number, near: end("receiver", home, worker), far: end("source", worker, home) };
  }

  /** Where a new flow is to be, and its number there; whoever takes it gives it back. Throws a `ConfigError`. */
  takePlace(): Pick<FlowIntent, "worker" | "number"> {
    const worker = this.#leastLoaded();
    return { worker, number: this.#takeFlow(worker) };
  }

  #takeFlow(worker: number): number {
    const number = this.#rooms[worker]!.flowPool.take();
    if (number < 0) refuse("MSM_FLOW_LIMIT", "", `there are ${MOST_FLOWS} flows; close some`);
    return number;
  }

  #takeRecord(worker: number, { undo }: Binding, path: string): number {
    const { recordPool, records } = this.#rooms[worker]!;
    const record = recordPool.take();
    if (record < 0) refuse("MSM_FLOW_LIMIT", path, `there are ${recordPool.size} legs; close flows`);
    undo.push(() => recordPool.give(record));
    records.clear(record);
    return record;
  }

  #tell(
    leg: LegPlan,
    record: number,
    sockets: LegSockets | undefined,
    before: LegIntent | undefined,
  ): WorkerLeg {
    const { id, role, isEnabled, rewrite, clockRate, transport } = leg;
    const told = { record, id, role, isEnabled, rewrite, clockRate };
    if (transport.kind !== "udp" || sockets === undefined) {
      return { ...told, transport: transport as Exclude<typeof transport, UdpPlan> };
    }
    const { remote, remoteRtcp, latch, latchFrom } = transport;
    const udp = { kind: "udp", rtp: sockets.rtp.number, rtcp: sockets.rtcp?.number ?? -1 } as const;
    const old = before?.told.transport;
    const isSame = old?.kind === "udp" && isSameFarEnd(old, { ...udp, remote, remoteRtcp, latch, latchFrom });
    const remoteEpoch = isSame ? old.remoteEpoch : this.#epoch++;
    return { ...told, transport: { ...udp, remoteEpoch, remote, remoteRtcp, latch, latchFrom } };
  }
}

/**
 * Legs with the same key share sockets. A leg whose far end has to be learnt has a port for itself, and so has a source;
 * receivers with known addresses share one (architecture: ports are shared only between known remotes).
 */
function socketKey(id: string, role: LegPlan["role"], worker: number, udp: UdpPlan): string {
  const { local, rtcp, dscp, ttl, latch, sourceFilter } = udp;
  const isShared = role === "receiver" && latch === "NONE";
  const parts = [isShared ? "" : id, role, worker, local.address, local.port, rtcp, dscp, ttl];
  return JSON.stringify([...parts, udp.interface, sourceFilter]);
}

function isSameFarEnd(a: WorkerUdp, b: Omit<WorkerUdp, "remoteEpoch">): boolean {
  const parts = (udp: Omit<WorkerUdp, "remoteEpoch">): string =>
    JSON.stringify([udp.rtp, udp.rtcp, udp.remote, udp.remoteRtcp, udp.latch, udp.latchFrom]);
  return parts(a) === parts(b);
}
