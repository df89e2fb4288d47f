// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import { refuse } from "../config/refuse.ts";
import type { BranchIntent, FlowIntent, LegIntent, LegSockets, NumberedSocket } from "./flow-intent.ts";
import type { FlowPlan, LegPlan, UdpPlan } from "./flow-plan.ts";
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

/** The legs of a flow's new form with what they were given, and the workers besides its own that serve some. */
export type BoundFlow = Pick<FlowIntent, "legs" | "branches">;

/** What is taken while a flow is bound, to be given back where that fails. */
interface Binding {
  readonly home: number;
  readonly number: number;
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
   * The legs of a flow's new form, whose worker is `home` and knows it as `number`. Throws a `ConfigError` where one
   * cannot have what it needs; then nothing is taken and `before` stands.
   */
  async bind(
    plan: FlowPlan,
    before: FlowIntent | undefined,
    home: number,
    number: number,
  ): Promise<BoundFlow> {
    const binding: Binding = { home, number, sockets: new Map(), atHome: 0, undo: [] };
    for (const { sockets, worker, plan } of before?.legs.values() ?? []) {
      if (sockets) binding.sockets.set(sockets.key, sockets);
      if (worker === home && plan.role === "receiver") binding.atHome++;
    }
    const legs = new Map<string, LegIntent>();
    const counts = { source: 0, receiver: 0 };
    try {
      for (const leg of plan.legs) {
        const path = `${leg.role}s[${counts[leg.role]++}]`;
        const known = before?.legs.get(leg.id);
        const isSame = known !== undefined && isDeepStrictEqual(known.plan, leg);
        legs.set(leg.id, isSame ? known : await this.#bindLeg(leg, known, binding, path));
      }
      return { legs, branches: this.#branches(legs, before, binding) };
    } catch (error) {
      for (const undo of binding.undo) undo();
      throw error;
    }
  }

  /** The worker with the fewest legs. Flows count beside them: those that are opened at the same time have no legs yet. */
  leastLoaded(): number {
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
    if (role === "source") return binding.home;
    const isFree = transport.kind === "udp" && transport.local.port === 0;
    if (isFree && known?.plan.role === role) return known.worker;
    if (isFree && binding.atHome >= this.#mostAtHome) {
      const worker = this.leastLoaded();
      if (worker !== binding.home) return worker;
    }
    binding.atHome++;
    return binding.home;
  }

  async #socketsFor(
    { id, role, transport }: LegPlan,
    worker: number,
    { sockets: groups, undo }: Binding,
    path: string,
  ): Promise<LegSockets | undefined> {
    if (transport.kind !== "udp") return undefined;
    const key = socketKey(id, role, worker, transport);
    const known = groups.get(key);
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

  #branches(
    legs: ReadonlyMap<string, LegIntent>,
    before: FlowIntent | undefined,
    binding: Binding,
  ): ReadonlyMap<number, BranchIntent> {
    const branches = new Map<number, BranchIntent>();
    for (const { worker } of legs.values()) {
      if (worker === binding.home || branches.has(worker)) continue;
      branches.set(worker, before?.branches.get(worker) ?? this.#makeBranch(worker, binding));
    }
    return branches;
  }

  #makeBranch(worker: number, binding: Binding): BranchIntent {
    const { home, number: flow, undo } = binding;
    const number = this.takeFlow(worker);
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

  /** A number for a flow in a worker, whoever gives it back. Throws a `ConfigError`. */
  takeFlow(worker: number): number {
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
