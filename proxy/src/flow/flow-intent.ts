// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { PluginConfig } from "@msm/xds-protos/envoy/extensions/wasm/v3/wasm_pb.js";
import type { FlowPart } from "./flow-part.ts";
import type { LegPlan } from "./flow-plan.ts";
import type { GroupSocket } from "./media-sockets.ts";
import type { WorkerChain, WorkerLeg } from "./worker-flow.ts";

/**
 * A flow as the main thread keeps it: enough to build its workers' sides anew. It is changed in place, by `applyStep`
 * alone, so that a change costs what changes and not what the flow has.
 */
export interface FlowIntent {
  readonly owner: string;
  readonly id: string;
  /** The worker that has it, with its sources and its chain. */
  readonly worker: number;
  /** Its number there. */
  readonly number: number;
  head: FlowHead;
  /** By id. */
  readonly sources: Map<string, LegIntent>;
  readonly receivers: Map<string, LegIntent>;
  /** By key: sockets, with how many legs use them. */
  readonly groups: Map<string, UsedSockets>;
  /** By worker: what each has of it. The one that has the flow is the first. */
  readonly parts: Map<number, FlowPart>;
  enabledReceivers: number;
  /** Number of the call that put it in this form. */
  putAt: number;
}

/** What a flow is besides its legs. */
export interface FlowHead {
  readonly stream: string;
  readonly idleMs: number;
  /** The filters that were asked for, and what came of it. */
  readonly plugins: readonly PluginConfig[];
  readonly chain: WorkerChain;
  /** `Flow.active_source`: "" for the first source that is enabled. */
  readonly wantedSource: string;
  /** Record of the source that is sent on, or -1. */
  readonly activeSource: number;
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

/** Sockets of a flow, the worker that has them, and by how many legs they are used. */
export interface UsedSockets {
  readonly sockets: LegSockets;
  readonly worker: number;
  uses: number;
}

/** A socket with its number in the worker. */
export interface NumberedSocket extends GroupSocket {
  readonly number: number;
}

/** The leg with this id. */
export function legOf({ sources, receivers }: FlowIntent, id: string): LegIntent | undefined {
  return sources.get(id) ?? receivers.get(id);
}

/** Every leg, sources first. */
export function* legsOf({ sources, receivers }: FlowIntent): Generator<LegIntent> {
  yield* sources.values();
  yield* receivers.values();
}
