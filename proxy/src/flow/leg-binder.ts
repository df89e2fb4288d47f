// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import { refuse } from "../config/refuse.ts";
import type { FlowIntent, LegIntent, LegSockets, NumberedSocket } from "./flow-intent.ts";
import type { FlowPlan, LegPlan, UdpPlan } from "./flow-plan.ts";
import type { LegRecords } from "./leg-records.ts";
import type { MediaSockets } from "./media-sockets.ts";
import type { NumberPool } from "./number-pool.ts";
import type { WorkerLeg, WorkerUdp } from "./worker-flow.ts";

/** What the legs of one worker's flows take. */
export interface WorkerRoom {
  readonly records: LegRecords;
  readonly recordPool: NumberPool;
  readonly socketPool: NumberPool;
}

/** Gives the legs of a flow their records and sockets; those that go on keep theirs. */
export class LegBinder {
  readonly #sockets: MediaSockets;
  #epoch = 1;

  constructor(sockets: MediaSockets) {
    this.#sockets = sockets;
  }

  /**
   * The legs of a flow's new form. Throws a `ConfigError` where one cannot have what it needs; then nothing is taken and
   * `before` stands.
   */
  async bind(
    plan: FlowPlan,
    before: FlowIntent | undefined,
    room: WorkerRoom,
  ): Promise<Map<string, LegIntent>> {
    const groups = new Map<string, LegSockets>();
    for (const { sockets } of before?.legs.values() ?? []) if (sockets) groups.set(sockets.key, sockets);
    const fresh: LegSockets[] = [];
    const records: number[] = [];
    const legs = new Map<string, LegIntent>();
    const counts = { source: 0, receiver: 0 };
    try {
      for (const leg of plan.legs) {
        const path = `${leg.role}s[${counts[leg.role]++}]`;
        const known = before?.legs.get(leg.id);
        if (known !== undefined && isDeepStrictEqual(known.plan, leg)) {
          legs.set(leg.id, known);
          continue;
        }
        const sockets = await this.#socketsFor(leg, groups, room, fresh, path);
        const kept = known?.plan.role === leg.role ? known : undefined;
        const record = kept?.record ?? takeRecord(room, records, path);
        legs.set(leg.id, { plan: leg, record, sockets, told: this.#tell(leg, record, sockets, kept) });
      }
    } catch (error) {
      for (const sockets of fresh) this.release(sockets, room);
      for (const record of records) room.recordPool.give(record);
      throw error;
    }
    return legs;
  }

  /** Closes sockets that no leg uses any more. */
  release(sockets: LegSockets, room: WorkerRoom): void {
    this.#sockets.close(sockets);
    room.socketPool.give(sockets.rtp.number);
    if (sockets.rtcp && sockets.rtcp !== sockets.rtp) room.socketPool.give(sockets.rtcp.number);
  }

  async #socketsFor(
    { id, role, transport }: LegPlan,
    groups: Map<string, LegSockets>,
    room: WorkerRoom,
    fresh: LegSockets[],
    path: string,
  ): Promise<LegSockets | undefined> {
    if (transport.kind !== "udp") return undefined;
    const key = socketKey(id, role, transport);
    const known = groups.get(key);
    if (known) return known;
    const { rtp, rtcp } = await this.#sockets.open(transport, role === "source", path);
    const first: NumberedSocket = { ...rtp, number: room.socketPool.take() };
    const second =
      rtcp === undefined ? undefined : rtcp === rtp ? first : { ...rtcp, number: room.socketPool.take() };
    const sockets = { key, rtp: first, rtcp: second };
    groups.set(key, sockets);
    fresh.push(sockets);
    return sockets;
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
function socketKey(id: string, role: LegPlan["role"], udp: UdpPlan): string {
  const { local, rtcp, dscp, ttl, latch } = udp;
  const isShared = role === "receiver" && latch === "NONE";
  return JSON.stringify([isShared ? "" : id, role, local.address, local.port, rtcp, dscp, ttl]);
}

function takeRecord(room: WorkerRoom, taken: number[], path: string): number {
  const record = room.recordPool.take();
  if (record < 0) refuse("MSM_FLOW_LIMIT", path, `there are ${room.recordPool.size} legs; close flows`);
  taken.push(record);
  room.records.clear(record);
  return record;
}

function isSameFarEnd(a: WorkerUdp, b: Omit<WorkerUdp, "remoteEpoch">): boolean {
  const parts = (udp: Omit<WorkerUdp, "remoteEpoch">): string =>
    JSON.stringify([udp.rtp, udp.rtcp, udp.remote, udp.remoteRtcp, udp.latch, udp.latchFrom]);
  return parts(a) === parts(b);
}
