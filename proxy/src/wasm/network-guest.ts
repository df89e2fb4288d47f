// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { FIRST_SESSION_CONTEXT, PLUGIN_CONTEXT } from "./abi.ts";
import { ByteBuffer } from "./byte-buffer.ts";
import type { SessionInfo } from "./filter-environment.ts";
import { FilterFailure } from "./filter-failure.ts";
import type { RunnableFilter } from "./filter-options.ts";
import type { GuestCalls } from "./guest-calls.ts";
import { type ChainHost, GuestState } from "./guest-state.ts";
import { PluginTick } from "./plugin-tick.ts";
import { startGuest } from "./start-guest.ts";

/** What a filter may hold back, or put in the place of what came, in one direction of a connection. */
export const MAX_HELD_BYTES = 1024 * 1024;

const CONTINUE = 0;
const PAUSE = 1;

/** Who ended one side of a connection, as Proxy-Wasm counts it. */
const PEER = { local: 1, remote: 2 } as const;

/** Whether the connection goes on, and with which bytes. */
export interface DataAnswer {
  readonly goesOn: boolean;
  readonly bytes: Uint8Array;
}

/** What a filter asked for during a call, by index of the connection. */
export interface NetworkRequests {
  readonly resumed: readonly { readonly session: number; readonly isUpstream: boolean }[];
  readonly closed: readonly number[];
}

/**
 * One running Proxy-Wasm network filter on the connections of a listener, as the specification has it: no sockets, no
 * threads. Every method but `close` throws FilterFailure where the guest breaks; the instance is then of no more use.
 */
export class NetworkGuest {
  readonly #state: GuestState;
  readonly #calls: GuestCalls;
  readonly #buffer = new ByteBuffer(MAX_HELD_BYTES);
  readonly #tick = new PluginTick();

  /** Starts and configures the filter. Throws FilterFailure. */
  constructor(plan: RunnableFilter, host: ChainHost) {
    this.#state = new GuestState(plan, host);
    this.#state.stream = this.#buffer;
    this.#calls = startGuest(this.#state);
  }

  /** A client connected. Returns whether to connect it to its endpoint now; if not, the filter continues it later. */
  openConnection(session: SessionInfo): boolean {
    const context = session.index + FIRST_SESSION_CONTEXT;
    return this.#call(context, "proxy_on_new_connection", () => {
      this.#calls.contextCreate?.(context, PLUGIN_CONTEXT);
      return toGoesOn(this.#calls.newConnection?.(context) ?? CONTINUE);
    });
  }

  /**
   * Shows all that waits in one direction of a connection; `isEnd` where no more will come. Where it does not go on, the
   * bytes are to be shown again with what follows them.
   */
  data(index: number, isUpstream: boolean, bytes: Uint8Array, isEnd: boolean): DataAnswer {
    const onData = isUpstream ? this.#calls.upstreamData : this.#calls.downstreamData;
    if (onData === undefined) return { goesOn: true, bytes };
    const context = index + FIRST_SESSION_CONTEXT;
    const name = isUpstream ? "proxy_on_upstream_data" : "proxy_on_downstream_data";
    this.#buffer.open(bytes, isUpstream);
    try {
      const goesOn = this.#call(context, name, () => toGoesOn(onData(context, bytes.length, isEnd ? 1 : 0)));
      return { goesOn, bytes: this.#buffer.close() };
    } finally {
      this.#buffer.close();
    }
  }

  /** One side of a connection is over. */
  sideClosed(index: number, isUpstream: boolean, by: "local" | "remote"): void {
    const context = index + FIRST_SESSION_CONTEXT;
    const onClose = isUpstream ? this.#calls.upstreamClose : this.#calls.downstreamClose;
    if (onClose !== undefined) {
      this.#call(context, "proxy_on_connection_close", () => onClose(context, PEER[by]));
    }
  }

  /** Both sides of a connection are over; its context may be used again afterwards. */
  connectionOver(index: number): void {
    const context = index + FIRST_SESSION_CONTEXT;
    this.#call(context, "proxy_on_done", () => {
      this.#calls.done?.(context);
      this.#calls.log?.(context);
      this.#calls.delete?.(context);
    });
  }

  /** Runs the tick, where it is due, and tells of entries in queues. Returns the milliseconds until the next, or Infinity. */
  tick(): number {
    const { clock, shared } = this.#state.host;
    clock.refresh();
    if (this.#tick.take(clock.exactMs, this.#state.tickPeriodMs)) {
      this.#call(PLUGIN_CONTEXT, "proxy_on_tick", () => this.#calls.tick?.(PLUGIN_CONTEXT));
    }
    for (const { id } of shared.takeNews()) {
      this.#call(PLUGIN_CONTEXT, "proxy_on_queue_ready", () => this.#calls.queueReady?.(PLUGIN_CONTEXT, id));
    }
    return this.nextDelayMs;
  }

  /** Milliseconds until `tick` is to be called; Infinity where it need not be. */
  get nextDelayMs(): number {
    const { host, tickPeriodMs } = this.#state;
    if (host.shared.hasNews) return 0;
    const nowMs = host.clock.exactMs;
    return Math.max(0, this.#tick.nextMs(nowMs, tickPeriodMs) - nowMs);
  }

  /** What the calls since the last look asked for. */
  takeRequests(): NetworkRequests {
    const { resumes, host } = this.#state;
    const requests = { resumed: [...resumes], closed: [...host.closeRequests] };
    resumes.length = 0;
    host.closeRequests.clear();
    return requests;
  }

  #call<T>(context: number, name: string, call: () => T): T {
    const state = this.#state;
    state.host.clock.refresh();
    state.context = context;
    state.budget.grantCall();
    try {
      return call();
    } catch (thrown) {
      throw state.toFailure(thrown, "trap", name);
    } finally {
      state.metrics.sample(state.memory);
    }
  }
}

function toGoesOn(action: number): boolean {
  if (action !== CONTINUE && action !== PAUSE) {
    throw new FilterFailure("bad_output", `${action} is no action of a network filter`);
  }
  return action === CONTINUE;
}
