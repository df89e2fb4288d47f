// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { fromBinary, toBinary } from "@msm/xds-protos";
import type { PluginConfig } from "@msm/xds-protos/envoy/extensions/wasm/v3/wasm_pb.js";
import {
  type Flow,
  FlowEvent_Kind,
  FlowEventSchema,
  FlowSchema,
} from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import type { FlowNotice, FlowService } from "../flow/flow-service.ts";
import { mergeFlow } from "./merge-flow.ts";
import type { FlowOrder, ToSignalling } from "./protocol.ts";

interface Owner {
  readonly flows: Map<number, Flow>;
  readonly unsubscribe: () => void;
}

/** Carries what the filters of one signalling worker want of flows to the FlowService, and its events back. */
export class FlowRelay {
  readonly #service: FlowService;
  readonly #chainOf: (listener: string) => readonly PluginConfig[];
  readonly #post: (message: ToSignalling) => void;
  readonly #owners = new Map<string, Owner>();

  /** `chainOf` says what filters the flows of a listener have that name none. */
  constructor(
    service: FlowService,
    chainOf: (listener: string) => readonly PluginConfig[],
    post: (message: ToSignalling) => void,
  ) {
    this.#service = service;
    this.#chainOf = chainOf;
    this.#post = post;
  }

  handle(listener: string, owner: string, order: FlowOrder): void {
    switch (order.call) {
      case "put":
        this.#put(listener, owner, order.flow, fromBinary(FlowSchema, order.message));
        return;
      case "change": {
        const flow = this.#owners.get(owner)?.flows.get(order.flow);
        if (flow === undefined) return;
        const changed = fromBinary(FlowSchema, order.changed);
        this.#put(listener, owner, order.flow, mergeFlow(flow, changed, order.removed));
        return;
      }
      case "close":
        this.#service.close(owner, String(order.flow));
        return;
      case "release":
        this.#release(owner, order.lingerMs);
    }
  }

  /** The worker is gone: every flow of its filters lives on for so long. */
  releaseAll(lingerMs: number): void {
    for (const owner of [...this.#owners.keys()]) this.#release(owner, lingerMs);
  }

  #put(listener: string, name: string, number: number, flow: Flow): void {
    if (flow.chain.length === 0) flow.chain = [...this.#chainOf(listener)];
    this.#ownerOf(name).flows.set(number, flow);
    this.#service.put(name, flow);
  }

  #ownerOf(name: string): Owner {
    const known = this.#owners.get(name);
    if (known !== undefined) return known;
    const unsubscribe = this.#service.subscribe(name, (notice) => this.#tell(name, notice));
    const owner = { flows: new Map<number, Flow>(), unsubscribe };
    this.#owners.set(name, owner);
    return owner;
  }

  #tell(owner: string, { event, worker }: FlowNotice): void {
    const flow = Number(event.flow);
    if (event.kind === FlowEvent_Kind.CLOSED) this.#owners.get(owner)?.flows.delete(flow);
    this.#post({ type: "flow", owner, flow, worker, event: toBinary(FlowEventSchema, event) });
  }

  #release(name: string, lingerMs: number): void {
    const owner = this.#owners.get(name);
    if (owner === undefined) return;
    this.#owners.delete(name);
    owner.unsubscribe();
    this.#service.release(name, lingerMs);
  }
}
