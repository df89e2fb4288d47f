// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import {
  type Flow,
  type FlowEvent,
  FlowEvent_Kind,
  type Leg,
  type LegState,
} from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import type { FlowChange } from "../flow/flow-service.ts";
import { FIRST_SESSION_CONTEXT } from "../wasm/abi.ts";
import type { GuestState } from "../wasm/guest-state.ts";
import type { SignallingOptions } from "./signalling-options.ts";
import type { RouteChoice, SignallingWorld } from "./signalling-world.ts";

/** What an instance may hold at a time; a filter that leaks is refused long before memory runs out. */
const MAX_ROUTES = 65_536;
const MAX_FLOWS = 16_384;
const MAX_STREAMS = 16_384;

/** A connection that a client opened, or a stream that the filter opened. */
export interface Peer {
  readonly kind: "connection" | "stream";
  /** Number of the connection in its worker: what interleaved legs name. */
  readonly connection: number;
  flows: number;
}

/** A flow that the filter opened. */
export interface OpenFlow {
  /** In whose name it was opened; undefined where that one is gone. */
  opener: Peer | undefined;
  /** What was told of it last; undefined before the first answer. */
  event: FlowEvent | undefined;
  /** By id, the legs that the filter wants it to have, and what was told of each last. */
  legs: Map<string, LegState | undefined>;
  /** Whether it ever was installed. */
  isOpened: boolean;
}

/** What the host knows of one signalling instance beyond what every filter has. */
export class SignallingState {
  readonly guest: GuestState;
  readonly world: SignallingWorld;
  /** May be replaced by newer ones at any time. */
  options: SignallingOptions;
  readonly peers = new Map<number, Peer>();
  readonly flows = new Map<number, OpenFlow>();
  readonly routes = new Map<number, RouteChoice>();
  readonly #freeContexts: number[] = [];
  #nextContext = FIRST_SESSION_CONTEXT;
  #streams = 0;
  #nextFlow = 1;
  #nextRoute = 1;

  constructor(guest: GuestState, world: SignallingWorld, options: SignallingOptions) {
    this.guest = guest;
    this.world = world;
    this.options = options;
  }

  /** Whether the filter may open one more stream. */
  get canConnect(): boolean {
    return this.#streams < MAX_STREAMS;
  }

  /** A context number that is free now. */
  takeContext(): number {
    return this.#freeContexts.pop() ?? this.#nextContext++;
  }

  /** Makes the host calls for sessions work for a connection or stream. Addresses are `ip:port`. */
  addPeer(context: number, peer: Peer, addresses: { source: string; upstream: string; local: string }): void {
    if (peer.kind === "stream" && !this.peers.has(context)) this.#streams++;
    this.peers.set(context, peer);
    const index = context - FIRST_SESSION_CONTEXT;
    const { source: client, upstream: endpoint, local } = addresses;
    this.guest.host.sessions.set(index, { index, client, endpoint, local, resumed: false });
  }

  /** Forgets a connection or stream; its context may be used again. */
  removePeer(context: number): void {
    const peer = this.peers.get(context);
    if (peer === undefined) return;
    const index = context - FIRST_SESSION_CONTEXT;
    if (peer.kind === "stream") this.#streams--;
    this.peers.delete(context);
    this.guest.host.sessions.delete(index);
    this.guest.host.sessionState.close(index);
    this.guest.timers.cancelContext(context);
    for (const flow of this.flows.values()) if (flow.opener === peer) flow.opener = undefined;
    this.#freeContexts.push(context);
  }

  /** The number of a new flow, opened in the name of the context that runs; undefined where it may have no more. */
  addFlow(): number | undefined {
    const opener = this.peers.get(this.guest.context);
    const isFull = opener !== undefined && opener.flows >= this.options.maxFlowsPerConnection;
    if (isFull || this.flows.size === MAX_FLOWS) return undefined;
    if (opener !== undefined) opener.flows++;
    const number = this.#nextFlow++;
    this.flows.set(number, { opener, event: undefined, legs: new Map(), isOpened: false });
    return number;
  }

  /** The filter put a flow as a whole. */
  putFlow(number: number, message: Flow): void {
    const flow = this.flows.get(number);
    if (flow === undefined) return;
    const { legs } = flow;
    flow.legs = new Map(legsOf(message).map(({ id }) => [id, legs.get(id)]));
    this.world.putFlow(number, message);
  }

  /** The filter changed legs of a flow. */
  changeFlow(number: number, change: FlowChange): void {
    const legs = this.flows.get(number)?.legs;
    for (const id of change.removed) legs?.delete(id);
    for (const { id } of legsOf(change.changed)) legs?.set(id, legs.get(id));
    this.world.changeFlow(number, change);
  }

  /** Notes what became of a flow. What is told of legs that the filter gave up meanwhile is of no use. */
  noteEvent(flow: OpenFlow, event: FlowEvent): void {
    flow.event = event;
    if (event.kind === FlowEvent_Kind.OPENED) flow.isOpened = true;
    for (const leg of event.legs) if (flow.legs.has(leg.id)) flow.legs.set(leg.id, leg);
  }

  removeFlow(number: number): void {
    const flow = this.flows.get(number);
    if (flow?.opener !== undefined) flow.opener.flows--;
    this.flows.delete(number);
  }

  /** The handle of a route; undefined where there are too many. */
  addRoute(choice: RouteChoice): number | undefined {
    if (this.routes.size === MAX_ROUTES) return undefined;
    const handle = this.#nextRoute++;
    this.routes.set(handle, choice);
    return handle;
  }
}

function legsOf({ sources, receivers }: Flow): readonly Leg[] {
  return [...sources, ...receivers];
}
