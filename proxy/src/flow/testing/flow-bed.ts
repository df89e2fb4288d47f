// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { fromJson, type JsonObject } from "@msm/xds-protos";
import { FlowEvent_Kind, FlowSchema, type LegState } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { type DatapathOptions, startDatapath, type WorkerPool } from "../../worker/worker-pool.ts";
import type { FlowNotice } from "../flow-service.ts";

/** How long a test waits for what should happen at once: the machine may be busy. */
export const PATIENCE = { timeout: 10_000, interval: 5 };

/** A UDP socket of a test, with what came to it. */
export interface Peer {
  readonly socket: Socket;
  readonly port: number;
  readonly address: string;
  readonly received: { readonly data: Buffer; readonly from: RemoteInfo }[];
  send(data: Uint8Array, port: number): void;
}

/** A real datapath with its flow service, and peers around it. Everything is closed by `close`. */
export class FlowBed {
  readonly pool: WorkerPool;
  readonly notices: FlowNotice[] = [];
  readonly #sockets: Socket[] = [];
  readonly #closers: (() => void)[] = [];

  private constructor(pool: WorkerPool) {
    this.pool = pool;
    pool.flowService.subscribe("test", (notice) => this.notices.push(notice));
  }

  static async start(io: string, options: Partial<DatapathOptions> = {}): Promise<FlowBed> {
    const logger = { debug() {}, info() {}, warn() {}, error() {} };
    return new FlowBed(
      await startDatapath({ io, concurrency: 1, sessionsPerWorker: 64, logger, ...options }),
    );
  }

  async peer(address = "127.0.0.1"): Promise<Peer> {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    this.#sockets.push(socket);
    const received: Peer["received"] = [];
    socket.on("message", (data, from) => received.push({ data, from }));
    socket.bind(0, address);
    await once(socket, "listening");
    const send = (data: Uint8Array, port: number): void => socket.send(data, port, address);
    return { socket, address, port: socket.address().port, received, send };
  }

  /** Puts a flow, given as the JSON of msm.flow.v1.Flow, and waits for the answer. */
  async put(flow: JsonObject): Promise<FlowNotice["event"]> {
    const before = this.notices.length;
    this.pool.flowService.put("test", fromJson(FlowSchema, flow));
    return this.#answer(before, [FlowEvent_Kind.OPENED, FlowEvent_Kind.FAILED]);
  }

  /** Changes some legs of a flow, given as JSON as well, and waits for the answer. */
  async change(
    id: string,
    changed: JsonObject,
    removed: readonly string[] = [],
  ): Promise<FlowNotice["event"]> {
    const before = this.notices.length;
    this.pool.flowService.change("test", id, { changed: fromJson(FlowSchema, changed), removed });
    return this.#answer(before, [FlowEvent_Kind.OPENED, FlowEvent_Kind.FAILED]);
  }

  async close(id: string): Promise<FlowNotice["event"]> {
    const before = this.notices.length;
    this.pool.flowService.close("test", id);
    return this.#answer(before, [FlowEvent_Kind.CLOSED]);
  }

  /** The events of a kind, in order. */
  events(kind: FlowEvent_Kind): readonly FlowNotice["event"][] {
    return this.notices.map(({ event }) => event).filter((event) => event.kind === kind);
  }

  /** What else is to be let go of, before the datapath stops. */
  onStop(close: () => void): void {
    this.#closers.push(close);
  }

  async stop(): Promise<void> {
    for (const close of this.#closers) close();
    for (const socket of this.#sockets) socket.close();
    await this.pool.close();
  }

  async #answer(before: number, kinds: readonly FlowEvent_Kind[]): Promise<FlowNotice["event"]> {
    for (const deadline = Date.now() + PATIENCE.timeout; Date.now() < deadline; ) {
      const found = this.notices.slice(before).find(({ event }) => kinds.includes(event.kind));
      if (found) return found.event;
      await new Promise((resolve) => setTimeout(resolve, PATIENCE.interval));
    }
    throw new Error("the flow service does not answer");
  }
}

/** The state of one leg in an event. */
export function legOf(event: FlowNotice["event"], id: string): LegState {
  return event.legs.find((leg) => leg.id === id)!;
}

/** An RTP packet (RFC 3550 section 5.1) whose payload is a text. */
export function rtp(fields: {
  readonly seq: number;
  readonly ssrc?: number;
  readonly timestamp?: number;
  readonly payloadType?: number;
  readonly payload?: string;
}): Buffer {
  const { seq, ssrc = 1, timestamp = 0, payloadType = 96, payload = "media" } = fields;
  const packet = Buffer.alloc(12 + payload.length);
  packet.writeUInt8(0x80, 0);
  packet.writeUInt8(payloadType, 1);
  packet.writeUInt16BE(seq & 0xffff, 2);
  packet.writeUInt32BE(timestamp >>> 0, 4);
  packet.writeUInt32BE(ssrc >>> 0, 8);
  packet.write(payload, 12, "latin1");
  return packet;
}

/** What `rtp` made, as it came. */
export function readRtp(data: Buffer) {
  return {
    payloadType: data[1]! & 0x7f,
    seq: data.readUInt16BE(2),
    timestamp: data.readUInt32BE(4),
    ssrc: data.readUInt32BE(8),
    payload: data.toString("latin1", 12),
  };
}
