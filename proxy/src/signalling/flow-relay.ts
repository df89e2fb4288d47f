// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { PluginConfig } from "@msm/xds-protos/envoy/extensions/wasm/v3/wasm_pb.js";
import { fromBinary, toBinary } from "@msm/xds-protos/messages";
import {
  type Flow,
  FlowEvent_Kind,
  FlowEventSchema,
  FlowSchema,
} from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import type { FlowNotice, FlowService } from "../flow/flow-service.ts";
import type { FlowOrder, ToSignalling } from "./protocol.ts";

interface Owner {
  readonly listener: string;
  /** Its flows, and whether they have the filters of the listener, for they named none. */
  readonly flows: Map<number, boolean>;
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
        const { flow, removed } = order;
        const changed = fromBinary(FlowSchema, order.changed);
        if (changed.chain.length > 0) this.#owners.get(owner)?.flows.set(flow, false);
        this.#service.change(owner, String(flow), { changed, removed });
        return;
      }
      case "close":
        this.#service.close(owner, String(order.flow));
        return;
      case "release":
        this.#release(owner, order.lingerMs);
    }
  }

  /** `chainOf` says something else of this listener: flows that are open follow. */
  rechain(listener: string): void {
    const chain = this.#chainOf(listener);
    for (const [name, owner] of this.#owners) {
      if (owner.listener !== listener) continue;
      for (const [flow, isDefault] of owner.flows)
        if (isDefault) this.#service.rechain(name, String(flow), chain);
    }
  }

  /** The worker is gone: every flow of its filters lives on for so long. */
  releaseAll(lingerMs: number): void {
    for (const owner of [...this.#owners.keys()]) this.#release(owner, lingerMs);
  }

  #put(listener: string, name: string, number: number, flow: Flow): void {
    const isDefault = flow.chain.length === 0;
    if (isDefault) flow.chain = [...this.#chainOf(listener)];
    this.#ownerOf(name, listener).flows.set(number, isDefault);
    this.#service.put(name, flow);
  }

  #ownerOf(name: string, listener: string): Owner {
    const known = this.#owners.get(name);
    if (known !== undefined) return known;
    const unsubscribe = this.#service.subscribe(name, (notice) => this.#tell(name, notice));
    const owner = { listener, flows: new Map<number, boolean>(), unsubscribe };
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
