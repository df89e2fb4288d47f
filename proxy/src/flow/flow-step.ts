// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import type { PluginConfig } from "@msm/xds-protos/envoy/extensions/wasm/v3/wasm_pb.js";
import type { Flow } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { refuse } from "../config/refuse.ts";
import { type FlowIntent, type LegIntent, legOf, legsOf } from "./flow-intent.ts";
import type { FlowPlan, LegPlan } from "./flow-plan.ts";
import type { FlowChange } from "./flow-service.ts";
import { activeSource, checkCounts, readFlow } from "./read-flow.ts";

/** The way of a flow from the form that it has to the one that it should have. */
export interface FlowStep {
  readonly stream: string;
  readonly idleMs: number;
  readonly plugins: readonly PluginConfig[];
  readonly wantedSource: string;
  /** `id` of the source that is sent on then. */
  readonly activeSource: string | undefined;
  /** All sources that it has then. */
  readonly sources: readonly LegPlan[];
  /** Legs that are new or different. */
  readonly legs: readonly StepLeg[];
  readonly removed: readonly LegIntent[];
  /** Whether a source is among these two. */
  readonly isSourceNew: boolean;
  /** Legs that it has then. */
  readonly legCount: number;
}

/** A leg with where it stands in the message, for what is refused. */
interface StepLeg {
  readonly plan: LegPlan;
  readonly path: string;
}

/** To what a message says, whatever it was before. Throws a `ConfigError` that names the field. */
export function stepTo(message: Flow, flow: FlowIntent | undefined): FlowStep {
  const plan = readFlow(message);
  const { stream, idleMs, legs: all, chain: plugins, activeSource: active } = plan;
  const ids = new Set(all.map(({ id }) => id));
  const removed = flow === undefined ? [] : [...legsOf(flow)].filter((leg) => !ids.has(leg.plan.id));
  const legs = newLegs(plan, flow);
  return {
    ...{ stream, idleMs, plugins, legs, removed, activeSource: active },
    wantedSource: message.activeSource,
    sources: all.filter(({ role }) => role === "source"),
    isSourceNew: hasSource(legs, removed),
    legCount: all.length,
  };
}

/** To a form in which some legs are different. Throws a `ConfigError` that names the field of the change. */
export function stepBy({ changed, removed: ids }: FlowChange, flow: FlowIntent): FlowStep {
  const { head } = flow;
  // Its own active source may be one that does not change.
  const plan = readFlow({ ...changed, id: flow.id, activeSource: "" });
  const removed = [...new Set(ids)].flatMap((id) => legOf(flow, id) ?? []);
  const { sources, receiverCount } = legsAfter(plan, removed, flow);
  checkCounts(sources.length, receiverCount);
  const wantedSource = changed.activeSource || head.wantedSource;
  const legs = newLegs(plan, flow);
  const named = new Set(plan.legs.map(({ id }) => id));
  // What is removed and named again is changed.
  const without = removed.filter((leg) => !named.has(leg.plan.id));
  return {
    stream: changed.stream || head.stream,
    idleMs: changed.idle === undefined ? head.idleMs : plan.idleMs,
    plugins: changed.chain.length > 0 ? changed.chain : head.plugins,
    wantedSource,
    activeSource: activeSource(wantedSource, sources),
    ...{ sources, legs },
    removed: without,
    isSourceNew: hasSource(legs, without),
    legCount: sources.length + receiverCount,
  };
}

/** The sources that a flow has after a change, and how many receivers. */
function legsAfter({ legs }: FlowPlan, removed: readonly LegIntent[], flow: FlowIntent) {
  const gone = new Set(removed.map(({ plan }) => plan.id));
  const sources = new Map([...flow.sources].map(([id, { plan }]) => [id, plan]));
  let receiverCount = flow.receivers.size;
  for (const id of gone) if (!sources.delete(id)) receiverCount--;
  for (const leg of legs) {
    const { id, role } = leg;
    const isReceiver = flow.receivers.has(id) && !gone.has(id);
    if (role === "source" ? isReceiver : sources.has(id)) {
      const problem = `has the id "${id}" of a leg of the other kind; remove that first`;
      refuse("MSM_FLOW_INVALID", `${role}s`, problem);
    }
    if (role === "source") sources.set(id, leg);
    else if (!isReceiver) receiverCount++;
  }
  return { sources: [...sources.values()], receiverCount };
}

/** To other filters. */
export function stepToChain(plugins: readonly PluginConfig[], flow: FlowIntent): FlowStep {
  const { stream, idleMs, wantedSource } = flow.head;
  const sources = [...flow.sources.values()].map(({ plan }) => plan);
  return {
    ...{ stream, idleMs, plugins, wantedSource, sources, legs: [], removed: [], isSourceNew: false },
    activeSource: activeSource(wantedSource, sources),
    legCount: flow.sources.size + flow.receivers.size,
  };
}

/** The legs of a plan that the flow has not, or has in another form. */
function newLegs({ legs }: FlowPlan, flow: FlowIntent | undefined): readonly StepLeg[] {
  const counts = { source: 0, receiver: 0 };
  return legs
    .map((plan) => ({ plan, path: `${plan.role}s[${counts[plan.role]++}]` }))
    .filter(({ plan }) => !isDeepStrictEqual(flow && legOf(flow, plan.id)?.plan, plan));
}

function hasSource(legs: readonly StepLeg[], removed: readonly LegIntent[]): boolean {
  return [...legs, ...removed].some(({ plan }) => plan.role === "source");
}
