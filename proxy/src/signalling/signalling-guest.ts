// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type FlowEvent, FlowEvent_Kind } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { FIRST_SESSION_CONTEXT, PLUGIN_CONTEXT, StreamEvent } from "../wasm/abi.ts";
import type { FilterEnvironment } from "../wasm/filter-environment.ts";
import { FilterFailure } from "../wasm/filter-failure.ts";
import type { RunnableFilter } from "../wasm/filter-options.ts";
import type { GuestCalls } from "../wasm/guest-calls.ts";
import { ChainHost, GuestState } from "../wasm/guest-state.ts";
import { PluginTick } from "../wasm/plugin-tick.ts";
import { startGuest } from "../wasm/start-guest.ts";
import { StreamBuffer } from "../wasm/stream-buffer.ts";
import { signallingImports } from "./signalling-imports.ts";
import type { SignallingOptions } from "./signalling-options.ts";
import { readSignallingProperty } from "./signalling-properties.ts";
import { SignallingState } from "./signalling-state.ts";
import type { SignallingWorld } from "./signalling-world.ts";

/** The most bytes that a filter is shown in one call. */
export const MAX_DATA_BYTES = 16_384;

const PAUSE = 1;

/** Texts are parsed and a collector runs, and no datagram waits: some ten milliseconds are allowed. */
const FUEL_FACTOR = 8;

/** Who ended a connection, as Proxy-Wasm counts it. */
const PEER = { local: 1, remote: 2 } as const;

/** A connection or a stream as it stands: addresses are `ip:port`, IPv6 in brackets. */
export interface PeerAddresses {
  readonly local: string;
  readonly remote: string;
}

/**
 * One running signalling filter: a module instance, its connections, streams, flows and routes, and no sockets and no
 * threads. Every method throws FilterFailure where the guest breaks; the instance is then of no more use.
 */
export class SignallingGuest {
  readonly #state: GuestState;
  readonly #signalling: SignallingState;
  readonly #calls: GuestCalls;
  readonly #buffer = new StreamBuffer();
  readonly #tick = new PluginTick();
  #isTellingNews = false;

  /** Starts and configures the filter. `env` must say that outgoing datagrams are sent: connections are paused so. Throws FilterFailure. */
  constructor(
    plan: RunnableFilter,
    env: FilterEnvironment,
    world: SignallingWorld,
    options: SignallingOptions,
  ) {
    const state = new GuestState(plan, new ChainHost(env), FUEL_FACTOR);
    const signalling = new SignallingState(state, world, options);
    this.#state = state;
    this.#signalling = signalling;
    state.stream = this.#buffer;
    state.readMore = (name) => readSignallingProperty(signalling, name);
    this.#calls = startGuest(state, signallingImports(signalling));
    this.#settle();
  }

  /** Connections and streams that are open. */
  get peerCount(): number {
    return this.#signalling.peers.size;
  }

  /** Flows that are open, or asked for. */
  get flowCount(): number {
    return this.#signalling.flows.size;
  }

  /** From now on the filter finds these in its properties. */
  setOptions(options: SignallingOptions): void {
    this.#signalling.options = options;
  }

  /**
   * A client connected. `connection` is its number in the worker. Returns its context, and tells it before the filter may
   * already write.
   */
  openConnection(
    connection: number,
    { local, remote }: PeerAddresses,
    onContext: (context: number) => void = () => {},
  ): number {
    const context = this.#signalling.takeContext();
    const addresses = { source: remote, upstream: "", local };
    this.#signalling.addPeer(context, { kind: "connection", connection, flows: 0 }, addresses);
    onContext(context);
    this.#call(context, "proxy_on_new_connection", () => {
      this.#calls.contextCreate?.(context, PLUGIN_CONTEXT);
      const action = this.#calls.newConnection?.(context) ?? 0;
      if (action !== 0)
        throw new FilterFailure("unsupported_action", "a connection cannot be paused at once");
    });
    return context;
  }

  /**
   * Shows at most `MAX_DATA_BYTES` bytes that came on a connection or stream; `isEnd` where the peer will send no
   * more. Returns whether to go on reading; if not, `resume` of the world follows.
   */
  data(context: number, bytes: Uint8Array, isEnd: boolean): boolean {
    const peer = this.#signalling.peers.get(context);
    if (peer === undefined) return true;
    const isStream = peer.kind === "stream";
    const name = isStream ? "proxy_on_upstream_data" : "proxy_on_downstream_data";
    const onData = isStream ? this.#calls.upstreamData : this.#calls.downstreamData;
    this.#buffer.open(bytes, isStream);
    try {
      const action = this.#call(context, name, () => onData?.(context, bytes.length, isEnd ? 1 : 0) ?? 0);
      if (action !== 0 && action !== PAUSE) {
        throw new FilterFailure("bad_output", `${action} is no action of a signalling filter`);
      }
      return action !== PAUSE;
    } finally {
      this.#buffer.close();
    }
  }

  /** A client's connection is over; the context is free afterwards. */
  connectionClosed(context: number, by: "local" | "remote"): void {
    if (this.#signalling.peers.get(context)?.kind !== "connection") return;
    this.#call(context, "proxy_on_done", () => {
      this.#calls.downstreamClose?.(context, PEER[by]);
      this.#calls.done?.(context);
      this.#calls.log?.(context);
      this.#calls.delete?.(context);
    });
    this.#signalling.removePeer(context);
  }

  /** A stream is connected. */
  streamConnected(context: number, { local, remote }: PeerAddresses): void {
    const peer = this.#signalling.peers.get(context);
    if (peer === undefined) return;
    this.#signalling.addPeer(context, peer, { source: "", upstream: remote, local });
    this.#tellStream(context, StreamEvent.Connected);
  }

  /** A stream could not be connected; its context is free afterwards. */
  streamFailed(context: number): void {
    this.#tellStream(context, StreamEvent.Failed);
    this.#signalling.removePeer(context);
  }

  /** A stream is over; its context is free afterwards. */
  streamClosed(context: number): void {
    this.#tellStream(context, StreamEvent.Closed);
    this.#signalling.removePeer(context);
  }

  /** A connection or stream that had refused to be written to takes more. */
  writable(context: number): void {
    this.#tellStream(context, StreamEvent.Writable);
  }

  /** Something became of a flow. One that is closed, or that never was installed, is gone afterwards. */
  flowEvent(number: number, event: FlowEvent): void {
    const flow = this.#signalling.flows.get(number);
    if (flow === undefined) return;
    const isFailed = event.kind === FlowEvent_Kind.FAILED;
    this.#signalling.noteEvent(flow, event);
    this.#call(PLUGIN_CONTEXT, "msm_on_flow", () => this.#calls.onFlow?.(PLUGIN_CONTEXT, number, event.kind));
    if (event.kind === FlowEvent_Kind.CLOSED || (isFailed && !flow.isOpened)) {
      this.#signalling.removeFlow(number);
    }
  }

  /** Runs the timers and the tick that are due. Returns the milliseconds until the next, or Infinity. */
  tick(): number {
    const { clock } = this.#state.host;
    clock.refresh();
    const nowMs = clock.exactMs;
    const { timers } = this.#state;
    for (let timer = timers.take(nowMs); timer !== undefined; timer = timers.take(nowMs)) {
      const { context, id } = timer;
      this.#call(context, "msm_on_timer", () => this.#calls.onTimer?.(context, id, 0));
    }
    this.#tickPlugin(nowMs);
    return this.nextDelayMs(nowMs);
  }

  /** Milliseconds from `nowMs` of the environment until a timer or a tick is due; Infinity where none is. */
  nextDelayMs(nowMs = this.#state.host.clock.exactMs): number {
    const tickMs = this.#tick.nextMs(nowMs, this.#state.tickPeriodMs);
    return Math.max(0, Math.min(this.#state.timers.nextMs, tickMs) - nowMs);
  }

  #tickPlugin(nowMs: number): void {
    if (!this.#tick.take(nowMs, this.#state.tickPeriodMs)) return;
    this.#call(PLUGIN_CONTEXT, "proxy_on_tick", () => this.#calls.tick?.(PLUGIN_CONTEXT));
  }

  #tellStream(context: number, event: number): void {
    if (!this.#signalling.peers.has(context)) return;
    this.#call(context, "msm_on_stream", () => this.#calls.onStream?.(context, event));
  }

  #call<T>(context: number, name: string, call: () => T): T {
    const state = this.#state;
    state.host.clock.refresh();
    state.context = context;
    state.budget.grantCall();
    let result: T;
    try {
      result = call();
    } catch (thrown) {
      throw state.toFailure(thrown, "trap", name);
    }
    this.#settle();
    return result;
  }

  /** Does what the filter asked for by calls that come into effect after the one under way. */
  #settle(): void {
    const { host, resumes, metrics, memory } = this.#state;
    const { world } = this.#signalling;
    metrics.sample(memory);
    for (const { session } of resumes) world.resume(session + FIRST_SESSION_CONTEXT);
    resumes.length = 0;
    for (const session of host.closeRequests) world.close(session + FIRST_SESSION_CONTEXT, "flush");
    host.closeRequests.clear();
    if (this.#isTellingNews) return;
    // What a filter enqueues while it is told of entries waits for the next call.
    this.#isTellingNews = true;
    for (const { id } of host.shared.takeNews()) {
      this.#call(PLUGIN_CONTEXT, "proxy_on_queue_ready", () => this.#calls.queueReady?.(PLUGIN_CONTEXT, id));
    }
    this.#isTellingNews = false;
  }
}
