// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { Flag } from "../../datapath/batch.ts";
import { monotonicMs } from "../../datapath/monotonic-clock.ts";
import { type Ring, SLOTS } from "../../datapath/ring.ts";
import type { SessionTable } from "../../datapath/session-table.ts";
import type { LegRecords } from "../../flow/leg-records.ts";
import type { IoEvents, SendCounts, WorkerIo } from "../io-backend.ts";
import type { MmsgHandle } from "./index.ts";
import {
  addressOf,
  close,
  ECONNREFUSED,
  EINTR,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLLIN,
  epollControl,
  epollWait,
  errno,
  ioError,
  read,
} from "./libc.ts";
import { MessageReceiver } from "./message-receiver.ts";
import { MmsgCopySender } from "./mmsg-copy-sender.ts";
import { Area, EPOLL_DATA_WORD, EPOLL_EVENT_BYTES, EVENTS } from "./native-layout.ts";
import { ringEventfd } from "./ring-eventfd.ts";
import { SessionSender, type SessionSenderEvents } from "./session-sender.ts";
import { SessionSockets } from "./session-sockets.ts";
import { setGro } from "./sockets.ts";
import { SubmissionRing } from "./submission-ring.ts";

/**
 * What an event is about: the eventfd, a listener, a session, or, with neither bit, 1 + the number of a port that sessions share.
 * Numbers are in the low bits.
 */
export const WAKE_TAG = 0;
const LISTENER_TAG = 1 << 30;
const SESSION_TAG = 2 << 30;
/** Both bits: a media socket. */
const MEDIA_TAG = LISTENER_TAG | SESSION_TAG;
const NUMBER_MASK = LISTENER_TAG - 1;

/** Full receives of one listener in a turn before the others are looked at again. */
const RECEIVES_PER_TURN = 4;

interface ListenerSocket {
  readonly fd: number;
  dropTotal: number;
  overflows: number;
}

/** Runs a worker to completion: epoll_wait, recvmmsg, the core, sendmmsg. */
export class MmsgWorkerIo implements WorkerIo {
  readonly sent: SendCounts;
  readonly copies: MmsgCopySender;
  readonly #epoll: number;
  readonly #event: number;
  readonly #ring: Ring;
  readonly #sessions: SessionTable;
  readonly #sockets: SessionSockets;
  readonly #receiver: MessageReceiver;
  readonly #sender: SessionSender;
  readonly #listeners: (ListenerSocket | undefined)[] = [];
  readonly #media: (number | undefined)[] = [];
  readonly #events: number;
  readonly #eventsAddress: number;
  readonly #counterAddress: number;
  #core: IoEvents | undefined;
  #control: MessagePort | undefined;
  /** Whether what gathered in the ring came from media sockets, not from endpoints. */
  #isMedia = false;

  constructor(handle: MmsgHandle, ring: Ring, sessions: SessionTable, legs: LegRecords) {
    this.#epoll = handle.epoll;
    this.#event = handle.event;
    this.#ring = ring;
    this.#sessions = sessions;
    this.#receiver = new MessageReceiver(ring);
    const socketOf = (listener: number): number => this.#listeners[listener]?.fd ?? -1;
    const events: SessionSenderEvents = {
      onSentUpstream: (session, datagrams) => this.#core?.onSentUpstream(session, datagrams),
      onPeerGone: (session) => this.#core?.onSocketError(session),
    };
    this.#sender = new SessionSender(ring, sessions, socketOf, events, openSubmissions(handle));
    this.sent = this.#sender.sender.sent;
    this.copies = new MmsgCopySender(ring, legs, (socket) => this.#media[socket] ?? -1);
    const base = addressOf(ring.bytes);
    this.#events = (ring.backendArea + Area.events) >> 2;
    this.#eventsAddress = base + ring.backendArea + Area.events;
    this.#counterAddress = base + ring.backendArea + Area.eventCounter;
    this.#sockets = new SessionSockets(sessions, handle.sockets, {
      session: (fd, session) => this.#watch(fd, SESSION_TAG | session),
      port: (fd, port) => this.#watch(fd, port + 1),
    });
  }

  setListener(listener: number, socket: unknown, preferGro: boolean): void {
    const fd = socket as number;
    setGro(fd, preferGro);
    this.#listeners[listener] ??= { fd, dropTotal: 0, overflows: 0 };
    // Where an earlier worker or this one added it already, this changes nothing.
    this.#watch(fd, LISTENER_TAG | listener);
  }

  removeListener(listener: number): void {
    const socket = this.#listeners[listener];
    if (socket === undefined) return;
    epollControl(this.#epoll, EPOLL_CTL_DEL, socket.fd, 0);
    this.#listeners[listener] = undefined;
  }

  takeReceiveOverflows(listener: number): number {
    const socket = this.#listeners[listener];
    if (socket === undefined) return 0;
    const { overflows } = socket;
    socket.overflows = 0;
    return overflows;
  }

  openSession(session: number, preferGro: boolean): boolean {
    return this.#sockets.open(session, preferGro);
  }

  closeSession(session: number): void {
    this.#sockets.close(session);
  }

  adoptSession(): boolean {
    // The epoll set outlived the worker that filled it.
    return true;
  }

  sendUpstream(firstSlot: number, endSlot: number): void {
    this.#sender.sendUpstream(firstSlot, endSlot);
  }

  sendDownstream(firstSlot: number, endSlot: number): void {
    this.#sender.sendDownstream(firstSlot, endSlot);
  }

  sendBack(listener: number): void {
    this.#sender.sendBack(listener);
  }

  setMediaSocket(number: number, socket: unknown): void {
    this.#media[number] = socket as number;
    this.#watch(socket as number, MEDIA_TAG | number);
  }

  removeMediaSocket(number: number): void {
    const fd = this.#media[number];
    if (fd === undefined) return;
    epollControl(this.#epoll, EPOLL_CTL_DEL, fd, 0);
    this.#media[number] = undefined;
  }

  watchPort(): void {
    // Whoever has something rings the eventfd.
  }

  wakeOther(eventfd: number): void {
    ringEventfd(eventfd);
  }

  async run(core: IoEvents, control: MessagePort): Promise<void> {
    this.#core = core;
    this.#control = control;
    let timeoutMs = core.onTurn(monotonicMs());
    while (!core.isStopRequested) {
      const ready = epollWait(this.#epoll, this.#eventsAddress, EVENTS, toEpollTimeout(timeoutMs));
      if (ready < 0 && errno() !== EINTR) throw ioError("epoll_wait");
      const nowMs = monotonicMs();
      core.onTurnStart(nowMs);
      for (let i = 0; i < ready; i++)
        this.#dispatch(core, this.#ring.words[this.#events + (i * EPOLL_EVENT_BYTES) / 4 + EPOLL_DATA_WORD]!);
      this.#flushGathered(core);
      timeoutMs = core.onTurn(nowMs);
      core.onTurnEnd();
    }
  }

  #dispatch(core: IoEvents, tag: number): void {
    const number = tag & NUMBER_MASK;
    if (tag === WAKE_TAG) {
      read(this.#event, this.#counterAddress, 8);
      this.#flushGathered(core);
      this.#drainControl(core);
      core.onWake();
    } else if ((tag & MEDIA_TAG) === 0) this.#receiveShared(core, number - 1);
    else if ((tag & LISTENER_TAG) === 0) this.#receiveUpstream(core, number);
    else if ((tag & SESSION_TAG) === 0) this.#receiveDownstream(core, number);
    else this.#receiveMedia(core, number);
  }

  /** Events of the port never fire in a loop that does not return to Node. */
  #drainControl(core: IoEvents): void {
    for (let next = this.#receiveControl(); next !== undefined; next = this.#receiveControl())
      core.onControl(next.message);
  }

  #receiveControl(): { readonly message: unknown } | undefined {
    return this.#control && receiveMessageOnPort(this.#control);
  }

  #receiveDownstream(core: IoEvents, listener: number): void {
    this.#flushGathered(core);
    for (let i = 0; i < RECEIVES_PER_TURN; i++) {
      const socket = this.#listeners[listener];
      if (socket === undefined) return;
      const received = this.#receiver.receive(socket.fd, 0);
      if (received <= 0) return;
      this.#countDrops(socket);
      core.onDownstream(listener);
      this.#ring.clear();
      if (received < SLOTS) return;
    }
  }

  /** Datagrams of many sessions gather in one batch, since each socket rarely has more than one. */
  #receiveUpstream(core: IoEvents, session: number): void {
    if (!this.#sessions.isOpen(session)) return;
    if (this.#isMedia) this.#flushGathered(core);
    const first = this.#ring.slots;
    const received = this.#receiver.receive(this.#sessions.socket(session), Flag.UpstreamDirection);
    if (received < 0 && errno() === ECONNREFUSED) core.onSocketError(session);
    for (let slot = first; slot < first + received; slot++) this.#ring.session[slot] = session;
    if (this.#ring.slots === SLOTS) this.#flushGathered(core);
  }

  /** From a port that sessions share: whose a datagram is, its source address tells. */
  #receiveShared(core: IoEvents, port: number): void {
    if (this.#isMedia) this.#flushGathered(core);
    const ring = this.#ring;
    const first = ring.slots;
    const fd = this.#sockets.socketAt(port);
    const received = this.#receiver.receive(fd, Flag.UpstreamDirection);
    // Woken for nothing that can be received: then for errors, which would wake it again and again.
    if (received <= 0) this.#receiver.receiveErrors(fd, (name) => this.#noteRefused(core, port, name));
    for (let slot = first; slot < ring.slots; slot++)
      ring.session[slot] = this.#sockets.sessionAt(port, ring.words, ring.name(slot) >> 2);
    if (ring.slots === SLOTS) this.#flushGathered(core);
  }

  #noteRefused(core: IoEvents, port: number, name: number): void {
    const session = this.#sockets.sessionAt(port, this.#ring.words, name);
    if (session >= 0) core.onSocketError(session);
  }

  /** As with endpoints: a flow's socket rarely has more than one. One that has gets its turns as a listener does. */
  #receiveMedia(core: IoEvents, number: number): void {
    if (!this.#isMedia) this.#flushGathered(core);
    const fd = this.#media[number];
    if (fd === undefined) return;
    for (let i = 0; i < RECEIVES_PER_TURN; i++) {
      this.#isMedia = true;
      const first = this.#ring.slots;
      const wanted = SLOTS - first;
      const received = this.#receiver.receive(fd, 0);
      this.#ring.session.fill(number, first, this.#ring.slots);
      if (this.#ring.slots === SLOTS) this.#flushGathered(core);
      if (received < wanted) return;
    }
  }

  #flushGathered(core: IoEvents): void {
    if (this.#ring.slots > 0) {
      if (this.#isMedia) core.onMedia();
      else core.onUpstream();
      this.#ring.clear();
    }
    this.#isMedia = false;
  }

  #countDrops(socket: ListenerSocket): void {
    const total = this.#receiver.dropTotal;
    if (total === 0) return;
    // A 32-bit running total, told only with datagrams that were queued after a drop.
    socket.overflows += (total - socket.dropTotal) >>> 0;
    socket.dropTotal = total;
  }

  #watch(fd: number, tag: number): boolean {
    const words = this.#ring.words;
    const at = (this.#ring.backendArea + Area.control) >> 2;
    words[at] = EPOLLIN;
    words[at + EPOLL_DATA_WORD] = tag;
    words[at + EPOLL_DATA_WORD + 1] = 0;
    const address = this.#eventsAddress - Area.events + Area.control;
    return epollControl(this.#epoll, EPOLL_CTL_ADD, fd, address) === 0;
  }
}

/** In place of the ring of the worker before this one. */
function openSubmissions({ submissions }: MmsgHandle): SubmissionRing | undefined {
  if (submissions[0]! >= 0) close(submissions[0]!);
  const ring = SubmissionRing.open();
  submissions[0] = ring?.fd ?? -1;
  return ring;
}

/** Rounded up: a timer must not find that it came a fraction too early. Anything over a day is waited for in parts. */
function toEpollTimeout(ms: number): number {
  return ms === Number.POSITIVE_INFINITY ? -1 : Math.min(Math.ceil(Math.max(ms, 0)), 86_400_000);
}
