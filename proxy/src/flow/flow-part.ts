// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { FlowIntent, NumberedSocket } from "./flow-intent.ts";
import type { WorkerChain, WorkerFlow, WorkerLeg, WorkerSocket } from "./worker-flow.ts";

/** The chain of branches that have no filters. Chains of flows have numbers above 0. */
const NO_FILTERS: WorkerChain = { number: 0, filters: [], receiverFilters: [] };

/** What one worker has of a flow: the one that has the flow, or one that serves some of its receivers. */
export interface FlowPart {
  readonly number: number;
  readonly activeSource: number;
  readonly branchSources: number | undefined;
  readonly chain: WorkerChain;
  /** By record, trunks among them. */
  readonly legs: ReadonlyMap<number, WorkerLeg>;
  readonly sockets: ReadonlyMap<number, NumberedSocket>;
}

/** The parts of a flow by worker, the one that has the flow first. */
export function partsOf(flow: FlowIntent): ReadonlyMap<number, FlowPart> {
  const make = (number: number, activeSource: number, branchSources: number | undefined) => ({
    number,
    activeSource,
    branchSources,
    chain: branchSources === undefined ? flow.chain : branchChain(flow.chain),
    legs: new Map<number, WorkerLeg>(),
    sockets: new Map<number, NumberedSocket>(),
  });
  const home = make(flow.number, flow.activeSource, undefined);
  const parts = new Map([[flow.worker, home]]);
  const sources = countEnabled(flow.legs, "source");
  for (const { worker, number, near, far } of flow.branches.values()) {
    const part = make(number, far.record, sources);
    part.legs.set(far.record, far);
    parts.set(worker, part);
    home.legs.set(near.record, near);
  }
  for (const { worker, record, told, sockets } of flow.legs.values()) {
    const part = parts.get(worker)!;
    part.legs.set(record, told);
    if (sockets) part.sockets.set(sockets.rtp.number, sockets.rtp);
    if (sockets?.rtcp) part.sockets.set(sockets.rtcp.number, sockets.rtcp);
  }
  return parts;
}

/** What a worker is told of its part of a flow that changed from `before`; all of it where there is no before. */
export function changeOf(
  { stream, idleMs, legs: all }: FlowIntent,
  part: FlowPart,
  before: FlowPart | undefined,
): WorkerFlow {
  const { number, activeSource, branchSources, chain, legs, sockets } = part;
  const isBranch = branchSources !== undefined;
  return {
    number,
    stream,
    idleMs: isBranch ? 0 : idleMs,
    chain,
    activeSource,
    branchSources,
    receiverCount: countEnabled(all, "receiver"),
    sockets: [...sockets.values()].filter((each) => !before?.sockets.has(each.number)).map(toWorkerSocket),
    removedSockets: missing(before?.sockets, sockets),
    legs: [...legs].filter(([record, told]) => before?.legs.get(record) !== told).map(([, told]) => told),
    removedLegs: missing(before?.legs, legs),
  };
}

/** Whether a branch has to be told of a change. What it knows of its flow besides legs and sockets is the same everywhere. */
export function isNews(change: WorkerFlow, before: FlowPart | undefined): boolean {
  const { sockets, removedSockets, legs, removedLegs } = change;
  const isSame =
    before !== undefined &&
    before.branchSources === change.branchSources &&
    before.chain.number === change.chain.number;
  return !isSame || [sockets, removedSockets, legs, removedLegs].some(({ length }) => length > 0);
}

/** The numbers that `before` had and `now` has not. */
export function missing(
  before: ReadonlyMap<number, unknown> | undefined,
  now: ReadonlyMap<number, unknown> | undefined,
): readonly number[] {
  return before === undefined ? [] : [...before.keys()].filter((number) => !now?.has(number));
}

/** Filters see media where the flow is, once; those of receivers run where the receivers are. */
function branchChain({ number, receiverFilters }: WorkerChain): WorkerChain {
  return receiverFilters.length === 0 ? NO_FILTERS : { number: -number, filters: [], receiverFilters };
}

function countEnabled(legs: FlowIntent["legs"], role: "source" | "receiver"): number {
  let count = 0;
  for (const { plan } of legs.values()) if (plan.role === role && plan.isEnabled) count++;
  return count;
}

function toWorkerSocket({ number, open, use }: NumberedSocket): WorkerSocket {
  return { number, socket: open.socket, use };
}
