// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { MessagePort } from "node:worker_threads";
import { create } from "@msm/xds-protos";
import type { PluginConfig } from "@msm/xds-protos/envoy/extensions/wasm/v3/wasm_pb.js";
import { type Flow, FlowEvent_Kind, FlowEventSchema } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import type {
  FlowChange,
  FlowNotice,
  FlowService,
  LiveFlow,
  SignallingAttachment,
} from "../../flow/flow-service.ts";

/** A FlowService in memory: it opens whatever it is asked for, on datapath worker 0. */
export class FakeFlows implements FlowService {
  readonly open = new Map<string, Flow>();
  readonly changes: { readonly owner: string; readonly flowId: string; readonly change: FlowChange }[] = [];
  readonly released: { readonly owner: string; readonly lingerMs: number }[] = [];
  readonly ports: MessagePort[] = [];
  readonly #subscribers = new Map<string, (notice: FlowNotice) => void>();
  #attachments = 0;

  put(owner: string, flow: Flow): void {
    this.open.set(`${owner} ${flow.id}`, flow);
    this.tell(owner, flow.id, FlowEvent_Kind.OPENED);
  }

  change(owner: string, flowId: string, change: FlowChange): void {
    this.changes.push({ owner, flowId, change });
    this.tell(owner, flowId, FlowEvent_Kind.OPENED);
  }

  rechain(owner: string, flowId: string, chain: readonly PluginConfig[]): void {
    const flow = this.open.get(`${owner} ${flowId}`);
    if (flow !== undefined) flow.chain = [...chain];
  }

  close(owner: string, flowId: string): void {
    this.open.delete(`${owner} ${flowId}`);
    this.tell(owner, flowId, FlowEvent_Kind.CLOSED);
  }

  release(owner: string, lingerMs: number): void {
    this.released.push({ owner, lingerMs });
  }

  subscribe(owner: string, onEvent: (notice: FlowNotice) => void): () => void {
    this.#subscribers.set(owner, onEvent);
    return () => this.#subscribers.delete(owner);
  }

  flows(): readonly LiveFlow[] {
    return [];
  }

  attach(port: MessagePort): SignallingAttachment {
    this.ports.push(port);
    return { number: ++this.#attachments, detach: () => port.close() };
  }

  /** Tells the owner of an event. */
  tell(owner: string, flow: string, kind: FlowEvent_Kind): void {
    this.#subscribers.get(owner)?.({ event: create(FlowEventSchema, { flow, kind }), worker: 0 });
  }
}
