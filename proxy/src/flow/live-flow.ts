// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { legState, type RecordsOfLegs } from "./flow-events.ts";
import { type FlowIntent, type LegIntent, legsOf } from "./flow-intent.ts";
import type { LiveFlow, LiveLeg } from "./flow-service.ts";
import { dropReasons, LegNumber, type LegRecords } from "./leg-records.ts";

/** A flow as it runs, from its intent and what the workers write into its legs' records. */
export function liveFlow(flow: FlowIntent, rooms: RecordsOfLegs): LiveFlow {
  const { owner, id, worker, head } = flow;
  return {
    owner,
    id,
    stream: head.stream,
    worker,
    legs: [...legsOf(flow)].map((leg) => liveLeg(leg, rooms.recordsOf(leg), head.activeSource)),
  };
}

function liveLeg(leg: LegIntent, records: LegRecords, activeSource: number): LiveLeg {
  const { plan, record } = leg;
  const dropped = dropReasons
    .map((reason, i) => [reason, records.number(record, LegNumber.dropped + i)] as const)
    .filter(([, count]) => count > 0);
  return {
    id: plan.id,
    role: plan.role,
    isEnabled: plan.isEnabled,
    isActive: plan.role === "source" && record === activeSource,
    worker: leg.worker,
    transport: plan.transport.kind,
    state: legState(leg, records),
    receivedDatagrams: records.number(record, LegNumber.receivedDatagrams),
    receivedBytes: records.number(record, LegNumber.receivedBytes),
    sentDatagrams: records.number(record, LegNumber.sentDatagrams),
    sentBytes: records.number(record, LegNumber.sentBytes),
    dropped: Object.fromEntries(dropped),
  };
}
