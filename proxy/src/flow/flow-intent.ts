// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { LegPlan } from "./flow-plan.ts";
import type { GroupSocket } from "./media-sockets.ts";
import type { WorkerChain, WorkerLeg } from "./worker-flow.ts";

/** A flow as the main thread keeps it: enough to build its workers' sides anew. */
export interface FlowIntent {
  readonly owner: string;
  readonly id: string;
  /** The worker that has it, with its sources and its chain. */
  readonly worker: number;
  /** Its number there. */
  readonly number: number;
  readonly stream: string;
  readonly idleMs: number;
  readonly chain: WorkerChain;
  readonly activeSource: number;
  /** By id, sources first. */
  readonly legs: ReadonlyMap<string, LegIntent>;
  /** By worker: those that serve some of its receivers. */
  readonly branches: ReadonlyMap<number, BranchIntent>;
  /** Number of the call that put it in this form. */
  readonly putAt: number;
}

/** A leg as the main thread keeps it. */
export interface LegIntent {
  readonly plan: LegPlan;
  /** The worker that serves it. */
  readonly worker: number;
  readonly record: number;
  readonly told: WorkerLeg;
  /** The sockets of a UDP leg. */
  readonly sockets: LegSockets | undefined;
}

/** What another worker has of a flow: a flow of its own, whose source is the trunk to the one that has all of it. */
export interface BranchIntent {
  readonly worker: number;
  /** Its number in that worker. */
  readonly number: number;
  /** The trunk's end where the flow is, a receiver, and the one at the branch, its source. */
  readonly near: WorkerLeg;
  readonly far: WorkerLeg;
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

/** The legs of a flow that `before` had not, or had in another form. */
export function changedLegs(flow: FlowIntent, before: FlowIntent | undefined): readonly LegIntent[] {
  return [...flow.legs.values()].filter(({ plan, told }) => before?.legs.get(plan.id)?.told !== told);
}
