// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { LegPlan } from "./flow-plan.ts";
import type { GroupSocket } from "./media-sockets.ts";
import type { WorkerChain, WorkerFlow, WorkerLeg, WorkerSocket } from "./worker-flow.ts";

/** A flow as the main thread keeps it: enough to build its worker's side anew. */
export interface FlowIntent {
  readonly owner: string;
  readonly id: string;
  readonly worker: number;
  /** Its number in the worker. */
  readonly number: number;
  readonly stream: string;
  readonly idleMs: number;
  readonly chain: WorkerChain;
  readonly activeSource: number;
  /** By id, sources first. */
  readonly legs: ReadonlyMap<string, LegIntent>;
  /** Number of the call that put it in this form. */
  readonly putAt: number;
}

/** A leg as the main thread keeps it. */
export interface LegIntent {
  readonly plan: LegPlan;
  readonly record: number;
  readonly told: WorkerLeg;
  /** The sockets of a UDP leg. */
  readonly sockets: LegSockets | undefined;
}

/** Sockets that one leg has for itself, or several that share them. */
export interface LegSockets {
  /** Legs with the same key share the sockets. */
  readonly key: string;
  readonly rtp: NumberedSocket;
  readonly rtcp: NumberedSocket | undefined;
}

/** A socket with its number in the worker. */
export interface NumberedSocket extends GroupSocket {
  readonly number: number;
}

/** What the worker is told of a flow that changed from `before`; of everything where there is no before. */
export function changeOf(flow: FlowIntent, before: FlowIntent | undefined): WorkerFlow {
  const sockets = socketsOf(flow);
  const oldSockets = before ? socketsOf(before) : new Map<number, NumberedSocket>();
  return {
    number: flow.number,
    stream: flow.stream,
    idleMs: flow.idleMs,
    chain: flow.chain,
    activeSource: flow.activeSource,
    sockets: [...sockets.values()].filter(({ number }) => !oldSockets.has(number)).map(toWorkerSocket),
    removedSockets: [...oldSockets.keys()].filter((number) => !sockets.has(number)),
    legs: changedLegs(flow, before).map(({ told }) => told),
    removedLegs: removedRecords(flow, before),
  };
}

/** The legs of a flow that `before` had not, or had in another form. */
export function changedLegs(flow: FlowIntent, before: FlowIntent | undefined): readonly LegIntent[] {
  return [...flow.legs.values()].filter(({ plan, told }) => before?.legs.get(plan.id)?.told !== told);
}

/** Records of legs that `before` had and `flow` has not. */
export function removedRecords(
  flow: FlowIntent | undefined,
  before: FlowIntent | undefined,
): readonly number[] {
  const kept = new Set([...(flow?.legs.values() ?? [])].map(({ record }) => record));
  return [...(before?.legs.values() ?? [])].map(({ record }) => record).filter((record) => !kept.has(record));
}

/** The sockets of a flow by their numbers. */
export function socketsOf({ legs }: FlowIntent): ReadonlyMap<number, NumberedSocket> {
  const found = new Map<number, NumberedSocket>();
  for (const { sockets } of legs.values()) {
    if (sockets === undefined) continue;
    found.set(sockets.rtp.number, sockets.rtp);
    if (sockets.rtcp) found.set(sockets.rtcp.number, sockets.rtcp);
  }
  return found;
}

function toWorkerSocket({ number, open, use }: NumberedSocket): WorkerSocket {
  return { number, socket: open.socket, use };
}
