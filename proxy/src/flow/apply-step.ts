// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type BranchIntent, type FlowIntent, type LegIntent, type LegSockets, legOf } from "./flow-intent.ts";
import { FlowPart } from "./flow-part.ts";
import type { FlowStep } from "./flow-step.ts";
import type { BoundLegs } from "./leg-binder.ts";
import type { WorkerChain } from "./worker-flow.ts";

/** What a flow has no more, to be given back when its workers know. */
export interface Leftovers {
  readonly legs: Pick<LegIntent, "worker" | "record">[];
  readonly sockets: { readonly sockets: LegSockets; readonly worker: number }[];
  readonly branches: BranchIntent[];
}

/** A flow that has nothing yet. */
export function emptyFlow(
  owner: string,
  id: string,
  { worker, number }: Pick<FlowIntent, "worker" | "number">,
  chain: WorkerChain,
  putAt: number,
): FlowIntent {
  return {
    ...{ owner, id, worker, number },
    head: { stream: "", idleMs: 0, plugins: [], chain, wantedSource: "", activeSource: -1 },
    sources: new Map(),
    receivers: new Map(),
    groups: new Map(),
    parts: new Map([[worker, new FlowPart(number, undefined)]]),
    enabledReceivers: 0,
    putAt,
  };
}

/** Takes a step, with what was bound for it: the one place where a flow changes. Its workers are not told here. */
export function applyStep(flow: FlowIntent, step: FlowStep, bound: BoundLegs, chain: WorkerChain): Leftovers {
  const left: Leftovers = { legs: [], sockets: [], branches: [] };
  for (const branch of bound.branches) addBranch(flow, branch);
  const enabledBefore = flow.enabledReceivers;
  // What is new first: sockets and branches that go on are used without a break.
  for (const leg of bound.legs) {
    const before = legOf(flow, leg.plan.id);
    addLeg(flow, leg);
    if (before !== undefined) removeLeg(flow, before, leg, left);
  }
  for (const leg of step.removed) removeLeg(flow, leg, undefined, left);
  removeEmptyBranches(flow, left);
  setHead(flow, step, chain);
  // Where the flow is it is known how many there are at other workers.
  if (flow.enabledReceivers !== enabledBefore) flow.parts.get(flow.worker)!.markUrgent();
  return left;
}

function addBranch(flow: FlowIntent, branch: BranchIntent): void {
  const part = new FlowPart(branch.number, branch);
  part.setLeg(branch.far);
  flow.parts.set(branch.worker, part);
  flow.parts.get(flow.worker)!.setLeg(branch.near);
}

function addLeg(flow: FlowIntent, leg: LegIntent): void {
  const { plan, worker, sockets, told } = leg;
  const part = flow.parts.get(worker)!;
  const isReceiver = plan.role === "receiver";
  (isReceiver ? flow.receivers : flow.sources).set(plan.id, leg);
  if (isReceiver) part.receivers++;
  if (isReceiver && plan.isEnabled) flow.enabledReceivers++;
  if (sockets !== undefined) {
    const used = flow.groups.get(sockets.key) ?? { sockets, worker, uses: 0 };
    used.uses++;
    flow.groups.set(sockets.key, used);
    part.addSocket(sockets.rtp);
    if (sockets.rtcp !== undefined) part.addSocket(sockets.rtcp);
  }
  part.setLeg(told);
}

/** `successor` is the form that it has now, if it has one. */
function removeLeg(
  flow: FlowIntent,
  { plan, worker, record, sockets }: LegIntent,
  successor: LegIntent | undefined,
  left: Leftovers,
): void {
  const part = flow.parts.get(worker)!;
  const isReceiver = plan.role === "receiver";
  if (successor?.plan.role !== plan.role) (isReceiver ? flow.receivers : flow.sources).delete(plan.id);
  if (isReceiver) part.receivers--;
  if (isReceiver && plan.isEnabled) flow.enabledReceivers--;
  if (successor?.worker !== worker || successor.record !== record) {
    part.removeLeg(record);
    left.legs.push({ worker, record });
  }
  if (sockets === undefined) return;
  const used = flow.groups.get(sockets.key)!;
  if (--used.uses > 0) return;
  flow.groups.delete(sockets.key);
  part.removeSocket(sockets.rtp);
  if (sockets.rtcp !== undefined) part.removeSocket(sockets.rtcp);
  left.sockets.push({ sockets, worker });
}

function removeEmptyBranches(flow: FlowIntent, left: Leftovers): void {
  const home = flow.parts.get(flow.worker)!;
  for (const [worker, { branch, receivers }] of flow.parts) {
    if (branch === undefined || receivers > 0) continue;
    flow.parts.delete(worker);
    home.removeLeg(branch.near.record);
    left.branches.push(branch);
  }
}

function setHead(flow: FlowIntent, step: FlowStep, chain: WorkerChain): void {
  const { stream, idleMs, plugins, wantedSource, isSourceNew } = step;
  const before = flow.head;
  const activeSource = step.activeSource === undefined ? -1 : flow.sources.get(step.activeSource)!.record;
  flow.head = { stream, idleMs, plugins, chain, wantedSource, activeSource };
  const isChainNew = before.chain.number !== chain.number;
  const isNew =
    isChainNew ||
    before.stream !== stream ||
    before.idleMs !== idleMs ||
    before.activeSource !== activeSource;
  if (isNew) flow.parts.get(flow.worker)!.markUrgent();
  // Branches have the flow's name from when they began, its sources' number, and its filters at stage EGRESS.
  if (isChainNew || isSourceNew) for (const part of flow.parts.values()) part.markUrgent();
}
