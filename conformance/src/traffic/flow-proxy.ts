// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { type RunningProxy, startProxy } from "@msm/proxy";
import { fromJson, type JsonObject } from "@msm/xds-protos";
import {
  type Flow,
  type FlowEvent,
  FlowEvent_Kind,
  FlowSchema,
  type LegState,
} from "@msm/xds-protos/msm/flow/v1/flow_pb.js";

const OWNER = "conformance";
const ANSWER_MS = 10_000;

/** How it runs. */
export interface FlowProxyOptions {
  /** Datapath workers. */
  readonly concurrency: number;
  /** I/O backend; the best there is unless said. */
  readonly io?: string;
  /** What its bootstrap says besides. */
  readonly more?: object;
}

/** A proxy in this process whose flows are opened directly, without signalling. */
export class FlowProxy {
  readonly proxy: RunningProxy;
  /** By flow: who waits for its next answer. */
  readonly #waiting = new Map<string, (event: FlowEvent) => void>();

  private constructor(proxy: RunningProxy) {
    this.proxy = proxy;
    proxy.flows.subscribe(OWNER, ({ event }) => {
      const { OPENED, FAILED, CLOSED } = FlowEvent_Kind;
      if (event.kind === OPENED || event.kind === FAILED || event.kind === CLOSED)
        this.#waiting.get(event.flow)?.(event);
    });
  }

  /** Starts it; its datapath workers may be killed. */
  static async start({ concurrency, io = "auto", more = {} }: FlowProxyOptions): Promise<FlowProxy> {
    const bootstrap = {
      node: { id: OWNER, cluster: OWNER },
      admin: { address: { socket_address: { address: "127.0.0.1", port_value: 0 } } },
      ...more,
    };
    return new FlowProxy(await startProxy({ bootstrap, concurrency, io, faultInjection: true }));
  }

  /** Opens or changes a flow, given as the JSON of msm.flow.v1.Flow, and returns its legs. Throws where it is refused. */
  put(flow: JsonObject): Promise<readonly LegState[]> {
    return this.putMessage(fromJson(FlowSchema, flow));
  }

  /** The same with a message, whose legs are told from those before by being other objects. */
  async putMessage(flow: Flow): Promise<readonly LegState[]> {
    const event = await this.#answer(flow.id, () => this.proxy.flows.put(OWNER, flow));
    if (event.kind === FlowEvent_Kind.FAILED)
      throw new Error(`flow ${flow.id}: ${event.code}: ${event.message}`);
    return event.legs;
  }

  /** Closes a flow; its ports are free then. */
  async closeFlow(id: string): Promise<void> {
    await this.#answer(id, () => this.proxy.flows.close(OWNER, id));
  }

  /** Lets a datapath worker die as by a defect. */
  async killWorker(worker: number): Promise<void> {
    const { status } = await this.#admin(`/workers/kill?worker=${worker}`, "POST");
    if (status !== 200) throw new Error(`worker ${worker} could not be killed: HTTP ${status}`);
  }

  /** How many datapath workers were rebuilt so far. */
  async restarts(): Promise<number> {
    const text = await (await this.#admin("/stats/prometheus", "GET")).text();
    return Number(/^msm_worker_restarts_total (\d+)$/m.exec(text)?.[1]);
  }

  close(): Promise<void> {
    return this.proxy.close();
  }

  #admin(path: string, method: string): Promise<Response> {
    const { address, port } = this.proxy.adminAddress;
    return fetch(`http://${address}:${port}${path}`, { method });
  }

  #answer(id: string, ask: () => void): Promise<FlowEvent> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`no answer about flow ${id} in ${ANSWER_MS / 1000} s`));
      }, ANSWER_MS);
      this.#waiting.set(id, (event) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(event);
      });
      ask();
    });
  }
}
