// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Action, DESCRIPTOR_WORDS, Word } from "../../datapath/batch.ts";
import { type Ring, SlotState } from "../../datapath/ring.ts";
import type { SessionTable } from "../../datapath/session-table.ts";
import { sockaddrLength } from "../../datapath/sockaddr.ts";
import { FIRST_SESSION_CONTEXT } from "../../wasm/abi.ts";
import { addressOf, ECONNREFUSED, errno, MSG_DONTWAIT, send } from "./libc.ts";
import { fitsOneMessage, MessageSender } from "./message-sender.ts";
import { SlotGroups } from "./slot-groups.ts";
import type { SubmissionRing } from "./submission-ring.ts";

/** Where a session's datagrams leave: the socket of its listener, or -1 where that is closed. */
type ListenerSocketOf = (listener: number) => number;

/** What a sender tells of a session's datagrams to its endpoint. */
export interface SessionSenderEvents {
  onSentUpstream(session: number, datagrams: number): void;
  onPeerGone(session: number): void;
}

/** Sends the datagrams of a batch that go on, session by session. */
export class SessionSender {
  readonly sender: MessageSender;
  readonly #ring: Ring;
  readonly #sessions: SessionTable;
  readonly #base: number;
  readonly #sessionsAddress: number;
  readonly #groups: SlotGroups;
  readonly #listenerSocketOf: ListenerSocketOf;
  readonly #events: SessionSenderEvents;
  /** Where what is collected goes. */
  #isDownstream = false;
  /** Whether what goes to endpoints is held and leaves by one call for all of their sockets. */
  readonly #isHolding: boolean;
  readonly #onRefusal = (session: number): void => this.#noteRefusal(session);

  constructor(
    ring: Ring,
    sessions: SessionTable,
    listenerSocketOf: ListenerSocketOf,
    events: SessionSenderEvents,
    submissions?: SubmissionRing,
  ) {
    this.sender = new MessageSender(ring, submissions);
    this.#isHolding = submissions !== undefined;
    this.#ring = ring;
    this.#sessions = sessions;
    this.#groups = new SlotGroups(ring);
    this.#base = addressOf(ring.bytes);
    this.#sessionsAddress = addressOf(sessions.bytes);
    this.#listenerSocketOf = listenerSocketOf;
    this.#events = events;
  }

  /**
   * What goes on of slots [first, end) to each session's endpoint, from the session's own socket or the port that it shares:
   * by one call for all of them where there is a submission ring, else a lone datagram by the cheapest call there is. The
   * time between two sends decides whether the receiver falls asleep in between, and one that has to be woken each time
   * costs more than the datagram.
   */
  sendUpstream(first: number, end: number): void {
    this.#isDownstream = false;
    const { descriptorCount, session } = this.#ring;
    const groups = this.#groups;
    groups.group(first, end);
    for (let i = 0; i < groups.count; i++) {
      const slot = groups.first[i]!;
      const isLone = !this.#isHolding && groups.next[slot]! < 0 && descriptorCount[slot] === 1;
      if (isLone && this.#sessions.port(session[slot]!) < 0) this.#sendLone(slot, session[slot]!);
      else this.#sendGroup(slot, session[slot]!);
    }
    if (this.#isHolding) this.sender.submit(this.#onRefusal);
  }

  /** The same to each session's client, from its listener's socket: the messages of many clients in one call. */
  sendDownstream(first: number, end: number): void {
    this.#isDownstream = true;
    const { session } = this.#ring;
    const groups = this.#groups;
    groups.group(first, end);
    let listener = -1;
    let last = -1;
    for (let i = 0; i < groups.count; i++) {
      const slot = groups.first[i]!;
      const next = this.#sessions.listener(session[slot]!);
      if (last >= 0 && next !== listener) this.#flushDownstream(listener, last);
      listener = next;
      last = session[slot]!;
      // On a host with several addresses the client waits for what comes from the one that it spoke to.
      this.sender.leaveFrom(this.#sessions.words, this.#sessions.local(last));
      this.#addGroup(slot, last);
    }
    if (last >= 0) this.#flushDownstream(listener, last);
    this.sender.leaveFrom(this.#sessions.words, -1);
  }

  /** What filters at stage LISTENER answer, to the source address in the name of its slot. */
  sendBack(listener: number): void {
    const fd = this.#listenerSocketOf(listener);
    if (fd < 0) return;
    const ring = this.#ring;
    const { words } = ring;
    for (let slot = 0; slot < ring.slots; slot++) {
      const name = ring.name(slot);
      const nameLength = sockaddrLength(words[name >> 2]!);
      this.sender.leaveFrom(words, ring.localWord(slot));
      let at = (ring.descriptors >> 2) + ring.firstDescriptor[slot]! * DESCRIPTOR_WORDS;
      for (let i = ring.descriptorCount[slot]!; i > 0; i--, at += DESCRIPTOR_WORDS) {
        if ((words[at + Word.action]! & 0xff) !== Action.Reply) continue;
        if (this.sender.isFull) this.sender.flush(fd);
        const length = words[at + Word.length]! & 0xffff;
        this.sender.addRun(words[at + Word.data]!, length, length, 1, this.#base + name, nameLength, false);
      }
    }
    this.sender.flush(fd);
    this.sender.leaveFrom(words, -1);
  }

  #sendGroup(slot: number, session: number): void {
    const datagrams = this.#addGroup(slot, session);
    if (datagrams === 0) return;
    if (this.#isHolding) this.sender.hold(this.#sessions.socket(session), session);
    else this.#flushUpstream(session);
    this.#events.onSentUpstream(session, datagrams);
  }

  #sendLone(slot: number, session: number): void {
    const ring = this.#ring;
    if (ring.slotState[slot] === SlotState.Dropped) return;
    let data = ring.payload(slot);
    let length = ring.slotLength[slot]!;
    if (ring.slotState[slot] === SlotState.Apart) {
      const at = (ring.descriptors >> 2) + ring.firstDescriptor[slot]! * DESCRIPTOR_WORDS;
      if ((ring.words[at + Word.action]! & 0xff) !== Action.Continue) return;
      data = ring.words[at + Word.data]!;
      length = ring.words[at + Word.length]! & 0xffff;
    }
    const fd = this.#sessions.socket(session);
    if (send(fd, this.#base + data, length, MSG_DONTWAIT) === length) {
      this.sender.sent.datagrams++;
      this.sender.sent.bytes += length;
    } else this.#retry(data, length, session);
    this.#events.onSentUpstream(session, 1);
  }

  /** Adds the datagrams of a group that go on, and returns how many they are. */
  #addGroup(firstSlot: number, session: number): number {
    const ring = this.#ring;
    const name = this.#nameOf(session);
    const nameLength =
      name === 0 ? 0 : sockaddrLength(this.#sessions.words[(name - this.#sessionsAddress) >> 2]!);
    const maySegment = this.#sessions.maySegment(session);
    let datagrams = 0;
    for (let slot = firstSlot; slot >= 0; slot = this.#groups.next[slot]!) {
      if (ring.slotState[slot] === SlotState.Dropped) continue;
      const isWhole = ring.slotState[slot] === SlotState.Whole;
      const mayJoin = datagrams > 0;
      if (isWhole && this.#addWhole(slot, mayJoin, session, name, nameLength, maySegment)) {
        datagrams += ring.descriptorCount[slot]!;
      } else datagrams += this.#addApart(slot, mayJoin, session, name, nameLength, maySegment);
    }
    return datagrams;
  }

  /** The native address of the receiver's `struct sockaddr`, or 0 where the session's socket is connected to it. */
  #nameOf(session: number): number {
    if (this.#isDownstream) return this.#sessionsAddress + this.#sessions.client(session);
    return this.#sessions.port(session) < 0 ? 0 : this.#sessionsAddress + this.#sessions.endpoint(session);
  }

  /** Adds a slot in one piece, as it came. Returns false where it has to be taken apart. */
  #addWhole(
    slot: number,
    mayJoin: boolean,
    session: number,
    name: number,
    nameLength: number,
    maySegment: boolean,
  ): boolean {
    const ring = this.#ring;
    const { sender } = this;
    const count = ring.descriptorCount[slot]!;
    if (count > 1 && (!maySegment || !fitsOneMessage(count, ring.slotLength[slot]!))) return false;
    const data = ring.payload(slot);
    const length = ring.slotLength[slot]!;
    const segment = ring.slotSegment[slot]!;
    if (mayJoin && sender.joinRun(data, length, segment, count)) return true;
    if (sender.isFull) this.#flush(session);
    sender.addRun(data, length, segment, count, name, nameLength, maySegment);
    return true;
  }

  /** Adds those datagrams of a slot that go on, one by one, and returns how many they are. */
  #addApart(
    slot: number,
    mayJoin: boolean,
    session: number,
    name: number,
    nameLength: number,
    maySegment: boolean,
  ): number {
    const ring = this.#ring;
    const { words } = ring;
    const { sender } = this;
    if (ring.slotIsDescribed[slot] === 0) ring.describe(slot, session + FIRST_SESSION_CONTEXT);
    let at = (ring.descriptors >> 2) + ring.firstDescriptor[slot]! * DESCRIPTOR_WORDS;
    const end = at + ring.descriptorCount[slot]! * DESCRIPTOR_WORDS;
    let datagrams = 0;
    for (; at < end; at += DESCRIPTOR_WORDS) {
      if ((words[at + Word.action]! & 0xff) !== Action.Continue) continue;
      const offset = words[at + Word.data]!;
      const length = words[at + Word.length]! & 0xffff;
      const isFirst = datagrams++ === 0 && !mayJoin;
      if (!isFirst && sender.joinRun(offset, length, length, 1)) continue;
      if (sender.isFull) this.#flush(session);
      sender.addRun(offset, length, length, 1, name, nameLength, maySegment);
    }
    return datagrams;
  }

  /** A send that failed is tried once more where it only reported what became of an earlier datagram. */
  #retry(data: number, length: number, session: number): void {
    const isPeerGone = errno() === ECONNREFUSED;
    this.sender.addRun(data, length, length, 1, 0, 0, false);
    this.#flushUpstream(session);
    if (isPeerGone) this.#events.onPeerGone(session);
  }

  #flush(session: number): void {
    if (this.#isDownstream) this.#flushDownstream(this.#sessions.listener(session), session);
    else this.#flushUpstream(session);
  }

  #flushUpstream(session: number): void {
    const fd = this.#sessions.socket(session);
    if (this.#isHolding) {
      this.sender.hold(fd, session);
      this.sender.submit(this.#onRefusal);
      return;
    }
    this.sender.flush(fd);
    this.#noteRefusal(session);
  }

  #noteRefusal(session: number): void {
    if (this.sender.isSegmentationRefused) this.#sessions.forbidSegmentation(session);
    // At a port that sessions share, the error may be about any of them.
    if (this.sender.isPeerGone && this.#sessions.port(session) < 0) this.#events.onPeerGone(session);
  }

  #flushDownstream(listener: number, session: number): void {
    const fd = this.#listenerSocketOf(listener);
    if (fd < 0) {
      this.sender.discard();
      return;
    }
    this.sender.flush(fd);
    if (this.sender.isSegmentationRefused) this.#sessions.forbidSegmentation(session);
  }
}
