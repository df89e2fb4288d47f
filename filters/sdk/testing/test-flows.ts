// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { FlowChange, SignallingGuest, SignallingWorld } from "@msm/proxy/signalling";
import { abi } from "@msm/proxy/wasm";

/** `msm.flow.v1`, as the host hands it over. */
export type Flow = Parameters<SignallingWorld["putFlow"]>[1];
export type FlowEvent = Parameters<SignallingGuest["flowEvent"]>[1];
export type Leg = Flow["receivers"][number];
type LegState = FlowEvent["legs"][number];

/** The first of the media ports. */
const FIRST_PORT = 16_384;

/** The flows that a signalling filter opened, as a proxy would have them: legs by their id, each with ports of its own. */
export class TestFlows {
  readonly flows = new Map<number, Flow>();
  /** Says why a leg cannot be installed; undefined where it can. Tests replace it. */
  refuse: (leg: Leg) => string | undefined = () => undefined;
  readonly #ports = new Map<string, number>();
  #nextPort = FIRST_PORT;

  put(number: number, flow: Flow): FlowEvent {
    return this.#install(number, flow);
  }

  change(number: number, { changed, removed }: FlowChange): FlowEvent {
    const before = this.flows.get(number) ?? { ...changed, sources: [], receivers: [] };
    const merge = (legs: readonly Leg[], newer: readonly Leg[]): Leg[] => {
      const byId = new Map([...legs, ...newer].map((leg) => [leg.id, leg]));
      return [...byId.values()].filter(({ id }) => !removed.includes(id));
    };
    const sources = merge(before.sources, changed.sources);
    const receivers = merge(before.receivers, changed.receivers);
    return this.#install(number, { ...before, sources, receivers });
  }

  close(number: number): FlowEvent {
    this.flows.delete(number);
    return eventOf(number, abi.FlowNews.Closed);
  }

  /** The legs of every flow, in the order in which they came. */
  legs(): readonly Leg[] {
    return [...this.flows.values()].flatMap(({ sources, receivers }) => [...sources, ...receivers]);
  }

  #install(number: number, flow: Flow): FlowEvent {
    const legs = [...flow.sources, ...flow.receivers];
    const message = legs.map((leg) => this.refuse(leg)).find((problem) => problem !== undefined);
    if (message !== undefined) {
      return { ...eventOf(number, abi.FlowNews.Failed), code: "MSM_FLOW_TEST", message };
    }
    this.flows.set(number, flow);
    const states = legs.map((leg) => this.#stateOf(number, leg));
    return { ...eventOf(number, abi.FlowNews.Opened), legs: states };
  }

  #stateOf(flow: number, { id, transport }: Leg): LegState {
    const key = `${flow} ${id}`;
    if (transport.case !== "udp") return { id } as LegState;
    const port = this.#ports.get(key) ?? this.#nextPort;
    if (port === this.#nextPort) this.#nextPort += 2;
    this.#ports.set(key, port);
    const ip = transport.value.local?.ip ?? "";
    return { id, local: { ip, port }, localRtcp: { ip, port: port + 1 } } as LegState;
  }
}

function eventOf(number: number, kind: number): FlowEvent {
  const event = {
    $typeName: "msm.flow.v1.FlowEvent",
    flow: String(number),
    kind,
    legs: [],
    code: "",
    message: "",
  };
  return event as FlowEvent;
}
