// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createSocket, type RemoteInfo, type Socket, type SocketOptions } from "node:dgram";
import { isIPv6 } from "node:net";
import type { MessagePort } from "node:worker_threads";
import { Action, DESCRIPTOR_WORDS, Flag, Word } from "../../datapath/batch.ts";
import { isMulticast } from "../../datapath/is-multicast.ts";
import { monotonicMs } from "../../datapath/monotonic-clock.ts";
import { type Ring, SLOTS, SlotState } from "../../datapath/ring.ts";
import type { SessionTable } from "../../datapath/session-table.ts";
import { readSockaddr, writeSockaddr } from "../../datapath/sockaddr.ts";
import type { LegRecords } from "../../flow/leg-records.ts";
import type { SocketAddress } from "../../plan.ts";
import { FIRST_SESSION_CONTEXT } from "../../wasm/abi.ts";
import type { IoEvents, MediaSocketOptions, SendCounts, WorkerIo } from "../io-backend.ts";
import { DgramCopySender } from "./dgram-copy-sender.ts";
import { applyMulticast } from "./multicast.ts";

/** The longest that a timer may wait (2^31 - 1 ms). */
const LONGEST_TIMEOUT_MS = 0x7fff_ffff;

/** Where the datagrams of the batch at hand came from: a listener's number, endpoints, or sockets of flows. */
const FROM_ENDPOINTS = -1;
const FROM_MEDIA = -2;

/** A socket of the address's family. Its look-up takes addresses as they are, without a turn of the event loop each. */
export function socketOptions(address: string): SocketOptions {
  const isVersion6 = isIPv6(address);
  return {
    type: isVersion6 ? "udp6" : "udp4",
    ipv6Only: isVersion6,
    // Others may listen to the same group.
    reuseAddr: isMulticast(address),
    lookup: (host, _options, callback) => callback(null, host, isVersion6 ? 6 : 4),
  };
}

/** Gathers what the event loop delivers in one go into a batch, and hands it to the core. */
export class DgramWorkerIo implements WorkerIo {
  readonly sent: SendCounts = { datagrams: 0, bytes: 0, errors: 0, overflows: 0 };
  readonly #ring: Ring;
  readonly #sessions: SessionTable;
  readonly #listeners = new Map<number, Socket>();
  readonly #upstreams = new Map<number, Socket>();
  readonly #media = new Map<number, Socket>();
  readonly copies: DgramCopySender;
  #core: IoEvents | undefined;
  #source = FROM_ENDPOINTS;
  #isFlushDue = false;
  #timer: NodeJS.Timeout | undefined;
  #stop: () => void = () => {};

  constructor(ring: Ring, sessions: SessionTable, legs: LegRecords) {
    this.#ring = ring;
    this.#sessions = sessions;
    this.copies = new DgramCopySender(ring, legs, (socket) => this.#media.get(socket));
  }

  takeReceiveOverflows(): number {
    return 0; // Node does not tell.
  }

  setListener(listener: number, socket: unknown): void {
    if (this.#listeners.has(listener)) return;
    const { address, port } = socket as SocketAddress;
    const opened = this.#open(address);
    // Node does not tell to which of several local addresses a datagram was sent, nor sends from one of them.
    opened.on("message", (data, from) => this.#onMessage(listener, -1, data, from));
    opened.bind({ address, port, exclusive: true });
    this.#listeners.set(listener, opened);
  }

  removeListener(listener: number): void {
    this.#listeners.get(listener)?.close();
    this.#listeners.delete(listener);
  }

  openSession(session: number): boolean {
    const endpoint = readSockaddr(this.#sessions.bytes, this.#sessions.endpoint(session));
    const opened = this.#open(endpoint.address);
    opened.on("message", (data, from) => {
      // The socket is not connected, so anybody may send to it.
      if (from.port === endpoint.port && from.address === endpoint.address)
        this.#onMessage(FROM_ENDPOINTS, session, data, from);
    });
    opened.bind({ port: 0, exclusive: true });
    this.#sessions.setSocket(session, session);
    this.#upstreams.set(session, opened);
    return true;
  }

  closeSession(session: number): void {
    this.#upstreams.get(session)?.close();
    this.#upstreams.delete(session);
  }

  adoptSession(): boolean {
    return false; // Sockets of node:dgram end with their worker.
  }

  sendUpstream(firstSlot: number, endSlot: number): void {
    this.#send(
      firstSlot,
      endSlot,
      (session) => this.#upstreams.get(session),
      (session) => this.#sessions.endpoint(session),
      (session) => this.#core?.onSentUpstream(session, 1),
    );
  }

  sendDownstream(firstSlot: number, endSlot: number): void {
    const socketOf = (session: number): Socket | undefined =>
      this.#listeners.get(this.#sessions.listener(session));
    this.#send(firstSlot, endSlot, socketOf, (session) => this.#sessions.client(session));
  }

  sendBack(listener: number): void {
    const ring = this.#ring;
    for (let slot = 0; slot < ring.slots; slot++) {
      const at = (ring.descriptors >> 2) + ring.firstDescriptor[slot]! * DESCRIPTOR_WORDS;
      if ((ring.words[at + Word.action]! & 0xff) !== Action.Reply) continue;
      this.#sendOne(this.#listeners.get(listener), at, readSockaddr(ring.bytes, ring.name(slot)));
    }
  }

  setMediaSocket(number: number, socket: unknown): void {
    if (this.#media.has(number)) return;
    const options = socket as MediaSocketOptions;
    const { address, ttl } = options;
    const opened = this.#open(address.address);
    opened.on("message", (data, from) => this.#onMessage(FROM_MEDIA, number, data, from));
    opened.bind({ ...address, exclusive: true });
    if (ttl !== undefined) {
      opened.setTTL(ttl);
      opened.setMulticastTTL(ttl);
    }
    this.#media.set(number, opened);
    try {
      applyMulticast(opened, options);
    } catch {
      // It went well on the main thread: the interface is gone since.
      this.sent.errors++;
    }
  }

  removeMediaSocket(number: number): void {
    this.#media.get(number)?.close();
    this.#media.delete(number);
  }

  watchPort(port: MessagePort): void {
    port.on("message", () =>
      this.#turn(() => {
        this.#flush();
        this.#core?.onWake();
      }),
    );
    port.unref();
  }

  wakeOther(): void {
    // There is no other: only one worker can share a listener.
  }

  run(core: IoEvents, control: MessagePort): Promise<void> {
    this.#core = core;
    control.on("message", (message: unknown) => this.#turn(() => core.onControl(message)));
    this.#schedule(core.onTurn(monotonicMs()));
    return new Promise((resolve) => {
      this.#stop = () => {
        control.close();
        resolve();
      };
    });
  }

  #open(address: string): Socket {
    const socket = createSocket({ ...socketOptions(address), recvBufferSize: 4 << 20 });
    socket.on("error", () => this.sent.errors++);
    return socket;
  }

  #onMessage(listener: number, session: number, data: Buffer, from: RemoteInfo): void {
    const ring = this.#ring;
    if (ring.slots > 0 && (listener !== this.#source || ring.slots === SLOTS)) this.#flush();
    this.#source = listener;
    const slot = ring.slots;
    const payload = ring.payload(slot);
    ring.bytes.set(data, payload);
    writeSockaddr(ring.bytes, ring.name(slot), from);
    const rxNs = BigInt(Date.now()) * 1_000_000n;
    const flags = listener === FROM_ENDPOINTS ? Flag.UpstreamDirection : 0;
    ring.add(data.length, data.length, flags, Number(rxNs & 0xffff_ffffn), Number(rxNs >> 32n));
    ring.session[slot] = session;
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    setImmediate(() => {
      this.#isFlushDue = false;
      this.#turn(() => this.#flush());
    });
  }

  #flush(): void {
    if (this.#ring.slots === 0) return;
    if (this.#source === FROM_ENDPOINTS) this.#core?.onUpstream();
    else if (this.#source === FROM_MEDIA) this.#core?.onMedia();
    else this.#core?.onDownstream(this.#source);
    this.#ring.clear();
  }

  #turn(work: () => void): void {
    const core = this.#core;
    if (core === undefined) return;
    const nowMs = monotonicMs();
    core.onTurnStart(nowMs);
    work();
    // Nothing is left in the ring when the core does what is due by the clock.
    this.#flush();
    this.#schedule(core.onTurn(nowMs));
    core.onTurnEnd();
    if (core.isStopRequested) this.#shutDown();
  }

  #schedule(waitMs: number): void {
    clearTimeout(this.#timer);
    if (waitMs === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#turn(() => {}), Math.min(Math.ceil(waitMs), LONGEST_TIMEOUT_MS));
  }

  #shutDown(): void {
    clearTimeout(this.#timer);
    for (const sockets of [this.#listeners, this.#upstreams, this.#media])
      for (const socket of sockets.values()) socket.close();
    this.#listeners.clear();
    this.#media.clear();
    this.#upstreams.clear();
    this.#stop();
  }

  #send(
    firstSlot: number,
    endSlot: number,
    socketOf: (session: number) => Socket | undefined,
    nameOf: (session: number) => number,
    onSent: (session: number) => void = () => {},
  ): void {
    const { words, descriptors, firstDescriptor } = this.#ring;
    for (let slot = firstSlot; slot < endSlot; slot++) {
      if (this.#ring.slotState[slot] === SlotState.Dropped) continue;
      const session = this.#ring.session[slot]!;
      if (this.#ring.slotIsDescribed[slot] === 0) this.#ring.describe(slot, session + FIRST_SESSION_CONTEXT);
      // A slot holds one datagram here.
      const at = (descriptors >> 2) + firstDescriptor[slot]! * DESCRIPTOR_WORDS;
      if ((words[at + Word.action]! & 0xff) !== Action.Continue) continue;
      onSent(session);
      this.#sendOne(socketOf(session), at, readSockaddr(this.#sessions.bytes, nameOf(session)));
    }
  }

  /** Sends the datagram whose descriptor begins at word `at`. */
  #sendOne(socket: Socket | undefined, at: number, { address, port }: SocketAddress): void {
    const { words, bytes } = this.#ring;
    const offset = words[at + Word.data]!;
    const length = words[at + Word.length]! & 0xffff;
    // A copy: node:dgram sends after the ring has been used again.
    const data = Buffer.from(bytes.subarray(offset, offset + length));
    this.sent.datagrams++;
    this.sent.bytes += length;
    socket?.send(data, port, address, (error) => {
      if (error) this.sent.errors++;
    });
  }
}
