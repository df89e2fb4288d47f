// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { create } from "@msm/xds-protos";
import { type Flow, FlowSchema, type Leg } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";

/**
 * A flow after a change: legs of `changed` take the place of those with their id or are added, legs in `removed` go, and
 * fields that `changed` sets hold. Legs that did not change are the same objects.
 */
export function mergeFlow(flow: Flow, changed: Flow, removed: readonly string[]): Flow {
  const { id, stream, chain, idle, activeSource } = flow;
  const gone = new Set(removed);
  return create(FlowSchema, {
    id,
    stream: changed.stream || stream,
    sources: mergeLegs(flow.sources, changed.sources, gone),
    receivers: mergeLegs(flow.receivers, changed.receivers, gone),
    chain: changed.chain.length > 0 ? changed.chain : chain,
    idle: changed.idle ?? idle,
    activeSource: changed.activeSource || activeSource,
  });
}

function mergeLegs(before: readonly Leg[], changed: readonly Leg[], gone: ReadonlySet<string>): Leg[] {
  const legs = new Map(before.map((leg) => [leg.id, leg]));
  for (const id of gone) legs.delete(id);
  for (const leg of changed) legs.set(leg.id, leg);
  return [...legs.values()];
}
