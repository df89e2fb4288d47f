// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { durationMs } from "@msm/xds-protos";
import { type Flow, FlowSchema, type Leg } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { at, refuse, refuseOthers } from "../config/refuse.ts";
import type { FlowPlan, LegPlan } from "./flow-plan.ts";
import { readLeg } from "./read-leg.ts";

/** Sources are switched by hand or merged: more than a few are a mistake. */
const MOST_SOURCES = 16;
/** The most receivers of one flow; a larger audience is a tree of flows. */
export const MOST_RECEIVERS = 10_000;
const MOST_FILTERS = 16;
const MOST_NAME_BYTES = 128;
const MOST_STREAM_BYTES = 1024;

/** Checks a flow. Throws a `ConfigError` that names the field. */
export function readFlow(flow: Flow): FlowPlan {
  refuseOthers(FlowSchema, flow, "", {
    id: "accepted",
    stream: "accepted",
    sources: "accepted",
    receivers: "accepted",
    chain: "accepted",
    idle: "accepted",
    active_source: "accepted",
  });
  checkName(flow.id, "id");
  limit(Buffer.byteLength(flow.stream), MOST_STREAM_BYTES, "stream", "bytes");
  checkCounts(flow.sources.length, flow.receivers.length);
  limit(flow.chain.length, MOST_FILTERS, "chain", "filters");
  const sources = flow.sources.map((leg, i) => readNamed(leg, "source", `sources[${i}]`));
  const receivers = flow.receivers.map((leg, i) => readNamed(leg, "receiver", `receivers[${i}]`));
  const legs = [...sources, ...receivers];
  checkDifferent(legs);
  const idleMs = flow.idle === undefined ? 0 : durationMs(flow.idle);
  if (idleMs < 0) refuse("MSM_FLOW_INVALID", "idle", "is below zero; leave it out for never");
  return {
    id: flow.id,
    stream: flow.stream,
    legs,
    activeSource: activeSource(flow.activeSource, sources),
    chain: flow.chain,
    idleMs,
  };
}

/** Refuses more legs than a flow may have. */
export function checkCounts(sources: number, receivers: number): void {
  limit(sources, MOST_SOURCES, "sources", "legs");
  limit(receivers, MOST_RECEIVERS, "receivers", "legs");
}

/** `id` of the source that is sent on: the one that is wanted or, for "", the first; undefined where it is not enabled. */
export function activeSource(wanted: string, sources: readonly LegPlan[]): string | undefined {
  if (wanted === "") return sources.find(({ isEnabled }) => isEnabled)?.id;
  const source = sources.find(({ id }) => id === wanted);
  if (source === undefined)
    refuse("MSM_FLOW_INVALID", "active_source", `"${wanted}" is no source of this flow`);
  return source.isEnabled ? source.id : undefined;
}

/** Refuses a name that is empty or longer than 128 bytes. */
export function checkName(name: string, path: string): void {
  if (name === "") refuse("MSM_FLOW_INVALID", path, "is empty; give it a name of 1 to 128 bytes");
  limit(Buffer.byteLength(name), MOST_NAME_BYTES, path, "bytes");
}

function limit(value: number, most: number, path: string, unit: string): void {
  if (value > most) refuse("MSM_FLOW_LIMIT", path, `has ${value} ${unit}; the most is ${most}`);
}

function readNamed(leg: Leg, role: LegPlan["role"], path: string): LegPlan {
  checkName(leg.id, at(path, "id"));
  return readLeg(leg, role, path);
}

function checkDifferent(legs: readonly LegPlan[]): void {
  const ids = new Set<string>();
  for (const { id, role } of legs) {
    if (ids.has(id))
      refuse("MSM_FLOW_INVALID", `${role}s`, `has the id "${id}" twice; legs are told apart by it`);
    ids.add(id);
  }
}
