// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type Ring, SLOT_BYTES, SLOTS } from "../../datapath/ring.ts";
import { SOCKADDR_BYTES } from "../../datapath/sockaddr.ts";
import {
  addressOf,
  ECONNREFUSED,
  IP_PKTINFO,
  IP_RECVERR,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_PKTINFO,
  IPV6_RECVERR,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  recvmmsg,
  SO_RXQ_OVFL,
  SO_TIMESTAMPNS,
  SOL_SOCKET,
  SOL_UDP,
  UDP_GRO,
} from "./libc.ts";
import {
  Area,
  CMSGHDR_BYTES,
  IOVEC_BYTES,
  MMSGHDR_BYTES,
  Mmsghdr,
  RECEIVE_CONTROL_BYTES,
  writeAddress,
} from "./native-layout.ts";
import { readPacketInfo4, readPacketInfo6 } from "./packet-info.ts";

const TWO_32 = 0x1_0000_0000;

/** Fills a ring's free slots by `recvmmsg`. A run that UDP_GRO merged fills one slot. */
export class MessageReceiver {
  /** Datagrams that the kernel dropped at the socket read last, as its running total; 0 where it did not say. */
  dropTotal = 0;
  readonly #ring: Ring;
  readonly #words: Uint32Array;
  readonly #messages: number;
  readonly #messagesAddress: number;
  readonly #control: number;
  // What the control messages of the datagram at hand said.
  #segmentBytes = 0;
  #hasLocal = 0;
  /** The errno that ICMP stands for. */
  #refusal = 0;
  #rxLow = 0;
  #rxHigh = 0;
  // The second that the last datagram came in, as nanoseconds of the epoch: 64 bits in two words.
  #second = -1;
  #secondLow = 0;
  #secondHigh = 0;

  constructor(ring: Ring) {
    this.#ring = ring;
    this.#words = ring.words;
    this.#messages = (ring.backendArea + Area.receiveMessages) >> 2;
    this.#control = ring.backendArea + Area.receiveControl;
    const base = addressOf(ring.bytes);
    this.#messagesAddress = base + ring.backendArea + Area.receiveMessages;
    const pieces = ring.backendArea + Area.receivePieces;
    for (let slot = 0; slot < SLOTS; slot++) {
      const message = this.#messages + slot * (MMSGHDR_BYTES / 4);
      const piece = pieces + slot * IOVEC_BYTES;
      writeAddress(this.#words, message + Mmsghdr.name, base + ring.name(slot));
      writeAddress(this.#words, message + Mmsghdr.iov, base + piece);
      this.#words[message + Mmsghdr.iovLength] = 1;
      writeAddress(
        this.#words,
        message + Mmsghdr.control,
        base + this.#control + slot * RECEIVE_CONTROL_BYTES,
      );
      writeAddress(this.#words, piece >> 2, base + ring.payload(slot));
      this.#words[(piece >> 2) + 2] = SLOT_BYTES;
      this.#rearm(message);
    }
  }

  /** Appends what waits at `fd` to the ring's batch. Returns how many slots it filled; 0 or less where none. */
  receive(fd: number, flags: number): number {
    const ring = this.#ring;
    const first = ring.slots;
    const received = recvmmsg(
      fd,
      this.#messagesAddress + first * MMSGHDR_BYTES,
      SLOTS - first,
      MSG_DONTWAIT,
      0,
    );
    this.dropTotal = 0;
    for (let slot = first; slot < first + received; slot++) {
      const message = this.#messages + slot * (MMSGHDR_BYTES / 4);
      this.#readControl(slot, this.#words[message + Mmsghdr.controlLength]!);
      const length = this.#words[message + Mmsghdr.length]!;
      const segment = this.#segmentBytes > 0 && this.#segmentBytes < length ? this.#segmentBytes : length;
      ring.slotHasLocal[slot] = this.#hasLocal;
      ring.add(length, segment, flags, this.#rxLow, this.#rxHigh);
      this.#rearm(message);
    }
    return received;
  }

  /**
   * Takes what waits in the error queue of `fd` (IP_RECVERR, ip(7)). `onRefused` gets, as a word of the ring, the address to which
   * a datagram was sent where ICMP says that nobody listens; what else routers say is forgotten. The batch stays as it is.
   */
  receiveErrors(fd: number, onRefused: (name: number) => void): void {
    const first = this.#ring.slots;
    const messages = this.#messagesAddress + first * MMSGHDR_BYTES;
    const received = recvmmsg(fd, messages, SLOTS - first, MSG_ERRQUEUE | MSG_DONTWAIT, 0);
    for (let slot = first; slot < first + received; slot++) {
      const message = this.#messages + slot * (MMSGHDR_BYTES / 4);
      this.#readControl(slot, this.#words[message + Mmsghdr.controlLength]!);
      if (this.#refusal === ECONNREFUSED) onRefused(this.#ring.name(slot) >> 2);
      this.#rearm(message);
    }
  }

  /** The kernel writes what it used over what it may use. */
  #rearm(message: number): void {
    this.#words[message + Mmsghdr.nameLength] = SOCKADDR_BYTES;
    this.#words[message + Mmsghdr.controlLength] = RECEIVE_CONTROL_BYTES;
  }

  #readControl(slot: number, length: number): void {
    const words = this.#words;
    const start = this.#control + slot * RECEIVE_CONTROL_BYTES;
    this.#segmentBytes = 0;
    this.#hasLocal = 0;
    this.#refusal = 0;
    for (let at = start; at + CMSGHDR_BYTES < start + length; ) {
      const header = at >> 2;
      const data = header + CMSGHDR_BYTES / 4;
      const level = words[header + 2];
      const type = words[header + 3];
      if (level === SOL_SOCKET && type === SO_TIMESTAMPNS)
        this.#setReceiveTime(words[data]!, words[data + 2]!);
      else if (level === SOL_UDP && type === UDP_GRO) this.#segmentBytes = words[data]!;
      else if (level === SOL_SOCKET && type === SO_RXQ_OVFL) this.dropTotal = words[data]!;
      else if (level === IPPROTO_IP && type === IP_PKTINFO) this.#setLocal(slot, data, true);
      else if (level === IPPROTO_IPV6 && type === IPV6_PKTINFO) this.#setLocal(slot, data, false);
      else if (level === IPPROTO_IP && type === IP_RECVERR) this.#refusal = words[data]!;
      else if (level === IPPROTO_IPV6 && type === IPV6_RECVERR) this.#refusal = words[data]!;
      at += (words[header]! + 7) & ~7;
    }
  }

  #setLocal(slot: number, data: number, isVersion4: boolean): void {
    this.#hasLocal = 1;
    const to = this.#ring.local(slot) >> 2;
    if (isVersion4) readPacketInfo4(this.#words, data, to);
    else readPacketInfo6(this.#words, data, to);
  }

  #setReceiveTime(second: number, nanosecond: number): void {
    if (second !== this.#second) {
      const nanoseconds = BigInt(second) * 1_000_000_000n;
      this.#second = second;
      this.#secondLow = Number(nanoseconds & 0xffff_ffffn);
      this.#secondHigh = Number(nanoseconds >> 32n);
    }
    const low = this.#secondLow + nanosecond;
    this.#rxLow = low >>> 0;
    this.#rxHigh = low >= TWO_32 ? this.#secondHigh + 1 : this.#secondHigh;
  }
}
