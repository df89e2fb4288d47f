// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Flow, Leg } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import type { FlowChange } from "../flow/flow-service.ts";

const CHANNELS = 256;
/** Connections of this worker are named by the low half of the number; the high half names the worker. */
const WORKER = 2n ** 32n;

/** Which flow the channels of connections belong to, for one signalling filter. */
export class InterleavedLegs {
  /** Flow by `connection * 256 + channel`. */
  readonly #flows = new Map<number, number>();
  /** The channels of each flow, by leg. */
  readonly #legs = new Map<number, Map<string, readonly number[]>>();
  /** How many channels of each connection have a leg. */
  readonly #used = new Map<number, number>();

  /** The flow that has a channel of a connection. */
  flowOf(connection: number, channel: number): number | undefined {
    return this.#flows.get(connection * CHANNELS + channel);
  }

  /** Whether any leg names the connection. */
  uses(connection: number): boolean {
    return this.#used.has(connection);
  }

  /** A flow is as this says. */
  put(flow: number, { sources, receivers }: Flow): void {
    this.close(flow);
    for (const leg of [...sources, ...receivers]) this.#set(flow, leg);
  }

  change(flow: number, { changed, removed }: FlowChange): void {
    for (const leg of removed) this.#unset(flow, leg);
    for (const leg of [...changed.sources, ...changed.receivers]) this.#set(flow, leg);
  }

  /** A flow is gone. */
  close(flow: number): void {
    for (const leg of [...(this.#legs.get(flow)?.keys() ?? [])]) this.#unset(flow, leg);
  }

  #set(flow: number, { id, transport }: Leg): void {
    this.#unset(flow, id);
    if (transport.case !== "interleaved") return;
    const { connection, rtpChannel, rtcpChannel } = transport.value;
    const base = Number(connection % WORKER) * CHANNELS;
    const channels = [rtpChannel, ...(rtcpChannel === undefined ? [] : [rtcpChannel])];
    const keys = channels.filter((channel) => channel < CHANNELS).map((channel) => base + channel);
    const legs = this.#legs.get(flow) ?? new Map<string, readonly number[]>();
    this.#legs.set(flow, legs.set(id, keys));
    for (const key of keys) {
      this.#flows.set(key, flow);
      this.#count(key, 1);
    }
  }

  #unset(flow: number, leg: string): void {
    const legs = this.#legs.get(flow);
    for (const key of legs?.get(leg) ?? []) {
      if (this.#flows.get(key) === flow) this.#flows.delete(key);
      this.#count(key, -1);
    }
    legs?.delete(leg);
    if (legs?.size === 0) this.#legs.delete(flow);
  }

  #count(key: number, by: 1 | -1): void {
    const connection = Math.floor(key / CHANNELS);
    const count = (this.#used.get(connection) ?? 0) + by;
    if (count === 0) this.#used.delete(connection);
    else this.#used.set(connection, count);
  }
}
