// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Sample } from "../stats/sample.ts";
import type { RecordsOfLegs } from "./flow-events.ts";
import { type FlowIntent, legsOf } from "./flow-intent.ts";
import { dropReasons, LegNumber, type LegRecords } from "./leg-records.ts";

/** A counter over all legs: where it stands in a record, and what it is called. */
const counters: readonly {
  readonly field: number;
  readonly name: string;
  readonly help: string;
  readonly labels: Readonly<Record<string, string>>;
}[] = [
  ...(
    [
      ["received", "datagrams", LegNumber.receivedDatagrams],
      ["received", "bytes", LegNumber.receivedBytes],
      ["sent", "datagrams", LegNumber.sentDatagrams],
      ["sent", "bytes", LegNumber.sentBytes],
    ] as const
  ).map(([direction, unit, field]) => ({
    field,
    name: `msm_flow_${unit}_total`,
    help: `Flows: ${unit} received from and sent to legs; each copy counts.`,
    labels: { direction },
  })),
  ...dropReasons.map((reason, i) => ({
    field: LegNumber.dropped + i,
    name: "msm_flow_dropped_total",
    help: "Flows: datagrams that were not passed on, by reason; each copy counts.",
    labels: { reason },
  })),
];

/** The statistics of all flows. Those of legs that are gone stay counted. */
export class FlowSamples {
  readonly #retired = new Float64Array(counters.length);
  readonly #refusals = new Map<string, number>();

  /** A leg is gone; its record will be used again. */
  retire(records: LegRecords, record: number): void {
    for (const [i, { field }] of counters.entries()) this.#retired[i]! += records.number(record, field);
  }

  countRefusal(code: string): void {
    this.#refusals.set(code, (this.#refusals.get(code) ?? 0) + 1);
  }

  /** `dropped` are packets that did not fit into a ring: to or from a signalling worker, or between datapath workers. */
  collect(
    flows: readonly FlowIntent[],
    rooms: RecordsOfLegs,
    dropped: { readonly interleaved: number; readonly trunk: number },
  ): readonly Sample[] {
    const totals = Float64Array.from(this.#retired);
    const legs = { source: 0, receiver: 0 };
    for (const flow of flows) {
      for (const leg of legsOf(flow)) {
        const { record, plan } = leg;
        const records = rooms.recordsOf(leg);
        legs[plan.role]++;
        for (const [i, { field }] of counters.entries()) totals[i]! += records.number(record, field);
      }
    }
    const gauge = (name: string, help: string, value: number, labels = {}): Sample => ({
      kind: "gauge",
      name,
      help,
      labels,
      value,
    });
    const legHelp = "Legs of flows, by role.";
    return [
      gauge("msm_flows_active", "Flows that are open.", flows.length),
      gauge("msm_flow_legs_active", legHelp, legs.source, { role: "source" }),
      gauge("msm_flow_legs_active", legHelp, legs.receiver, { role: "receiver" }),
      ...counters.map(({ name, help, labels }, i): Sample => {
        return { kind: "counter", name, help, labels, value: totals[i]! };
      }),
      ...[...this.#refusals].map(([code, value]): Sample => {
        const help = "Flows, or changes of flows, that were refused, by code.";
        return { kind: "counter", name: "msm_flow_refused_total", help, labels: { code }, value };
      }),
      {
        kind: "counter",
        name: "msm_flow_interleaved_dropped_total",
        help: "Packets between signalling and datapath workers that found no room in their ring, or no leg.",
        labels: {},
        value: dropped.interleaved,
      },
      {
        kind: "counter",
        name: "msm_flow_trunk_dropped_total",
        help: "Datagrams between datapath workers that found no room in their ring: each is lost to all receivers of a flow there.",
        labels: {},
        value: dropped.trunk,
      },
    ];
  }
}
