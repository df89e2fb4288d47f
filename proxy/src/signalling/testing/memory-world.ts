// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Flow } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import type { FlowChange } from "../../flow/flow-service.ts";
import type {
  CloseHow,
  Delivery,
  RouteChoice,
  RouteRequest,
  SignallingWorld,
  StreamTarget,
} from "../signalling-world.ts";

/** A stream that a filter under test asked for. */
export interface AskedStream {
  readonly context: number;
  readonly connection: number;
  readonly target: StreamTarget;
}

/** A world in memory, for tests of signalling filters: it notes what the filter does, and answers nothing by itself. */
export class MemoryWorld implements SignallingWorld {
  readonly streams: AskedStream[] = [];
  readonly closed: { readonly context: number; readonly how: CloseHow }[] = [];
  readonly resumed: number[] = [];
  readonly idleTimeouts = new Map<number, number>();
  /** The flows that are open, as they were put, and every change and closing in its order. */
  readonly flows = new Map<number, Flow>();
  readonly flowCalls: {
    readonly call: "put" | "change" | "close";
    readonly flow: number;
    readonly change?: FlowChange;
  }[] = [];
  readonly packets: { readonly context: number; readonly channel: number; readonly bytes: Uint8Array }[] = [];
  readonly requests: RouteRequest[] = [];
  readonly results: { readonly choice: RouteChoice; readonly code: number }[] = [];
  readonly released: RouteChoice[] = [];
  /** Whether writes are taken, and what becomes of interleaved packets. */
  takesWrites = true;
  delivery: Delivery = "taken";
  /** Answers look-ups; tests replace it. */
  route: (request: RouteRequest) => RouteChoice = notFound;
  readonly #written = new Map<number, Uint8Array[]>();
  #nextConnection = 1_001;

  /** What was written to a connection or stream since the last look, as text. */
  takeText(context: number): string {
    const text = Buffer.concat(this.#written.get(context) ?? []).toString("latin1");
    this.#written.delete(context);
    return text;
  }

  write(context: number, bytes: Uint8Array): boolean {
    if (!this.takesWrites) return false;
    const written = this.#written.get(context) ?? [];
    this.#written.set(context, [...written, bytes.slice()]);
    return true;
  }

  close(context: number, how: CloseHow): void {
    this.closed.push({ context, how });
  }

  resume(context: number): void {
    this.resumed.push(context);
  }

  setIdleTimeout(context: number, timeoutMs: number): void {
    this.idleTimeouts.set(context, timeoutMs);
  }

  connect(context: number, target: StreamTarget): number {
    const connection = this.#nextConnection++;
    this.streams.push({ context, connection, target });
    return connection;
  }

  putFlow(flow: number, message: Flow): void {
    this.flows.set(flow, message);
    this.flowCalls.push({ call: "put", flow });
  }

  changeFlow(flow: number, change: FlowChange): void {
    this.flowCalls.push({ call: "change", flow, change });
  }

  closeFlow(flow: number): void {
    this.flows.delete(flow);
    this.flowCalls.push({ call: "close", flow });
  }

  sendInterleaved(context: number, channel: number, packet: Uint8Array): Delivery {
    if (this.delivery === "taken") this.packets.push({ context, channel, bytes: packet.slice() });
    return this.delivery;
  }

  selectRoute(request: RouteRequest): RouteChoice {
    this.requests.push(request);
    return this.route(request);
  }

  reportResult(choice: RouteChoice, code: number): void {
    this.results.push({ choice, code });
  }

  releaseRoute(choice: RouteChoice): void {
    this.released.push(choice);
  }
}

function notFound({ host, path }: RouteRequest): RouteChoice {
  return { status: 404, reason: "no route", name: "", cluster: "", endpoint: "", host, path };
}
