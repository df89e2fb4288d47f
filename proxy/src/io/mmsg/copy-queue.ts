// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { SOCKADDR_IN_BYTES } from "../../datapath/sockaddr.ts";
import { LegDrop, LegFlag, LegNumber, type LegRecords, LegWord } from "../../flow/leg-records.ts";
import { RTP_HEADER_BYTES } from "../../flow/rtp-header.ts";
import { MOST_COPIED } from "../copy-sender.ts";
import {
  addressOf,
  EAGAIN,
  EINTR,
  EINVAL,
  EIO,
  EMSGSIZE,
  ENOBUFS,
  errno,
  MSG_DONTWAIT,
  SOL_UDP,
  sendmmsg,
  UDP_SEGMENT,
} from "./libc.ts";
import {
  CMSGHDR_BYTES,
  IOVEC_BYTES,
  MMSGHDR_BYTES,
  Mmsghdr,
  readAddress,
  SEND_CONTROL_BYTES,
  writeAddress,
} from "./native-layout.ts";
import { NativeMemory } from "./native-memory.ts";
import { writePacketInfo } from "./packet-info.ts";

/** The kernel takes 64 segments everywhere, and a message must not be larger than a UDP datagram can be. */
export const MOST_SEGMENTS = 64;
export const MOST_SEGMENTED_BYTES = 65_000;
/** In place of a segment's length: the packet is not RTP and counts as no media. */
export const NOT_MEDIA = 0;

/** The most of one sendmmsg (UIO_MAXIOV). */
const MESSAGES = 1024;
/** Own pieces of messages; those that receivers share come before them. */
const SHARED_PIECES = MOST_COPIED;
const PIECES = SHARED_PIECES + 4 * MOST_COPIED;
/** Behind them: those of one datagram that is sent by itself. It is a header and at most two parts of a payload. */
const SPARE_PIECES = 4;
const CONTROLS = MESSAGES * MMSGHDR_BYTES;
const PIECES_AT = CONTROLS + MESSAGES * SEND_CONTROL_BYTES;
const QUEUE_BYTES = PIECES_AT + (PIECES + SPARE_PIECES) * IOVEC_BYTES;
/** CMSG_LEN(2) and CMSG_SPACE(2): a header and one 16-bit value. */
const CMSG_SEGMENT_BYTES = CMSGHDR_BYTES + 2;
const SEGMENT_CONTROL_BYTES = CMSGHDR_BYTES + 8;

/** Messages from one socket that wait for a `sendmmsg`, and what becomes of each in the counters of its leg. */
export class CopyQueue {
  readonly #records: LegRecords;
  readonly #recordsBase: number;
  readonly #socketOf: (socket: number) => number;
  readonly #words: Uint32Array;
  readonly #base: number;
  #socket = -1;
  #count = 0;
  #pieces = SHARED_PIECES;
  readonly #legs = new Uint32Array(MESSAGES);
  readonly #datagrams = new Uint32Array(MESSAGES);
  readonly #bytes = new Uint32Array(MESSAGES);
  readonly #segments = new Uint32Array(MESSAGES);
  /** Bytes of control that say which local address a message leaves from. */
  readonly #localBytes = new Uint8Array(MESSAGES);

  constructor(records: LegRecords, socketOf: (socket: number) => number) {
    this.#records = records;
    this.#recordsBase = addressOf(records.bytes);
    this.#socketOf = socketOf;
    const memory = new NativeMemory(QUEUE_BYTES);
    this.#words = memory.words;
    this.#base = memory.address;
    for (let i = 0; i < MESSAGES; i++) {
      const control = (CONTROLS + i * SEND_CONTROL_BYTES) >> 2;
      this.#words[control] = CMSG_SEGMENT_BYTES;
      this.#words[control + 2] = SOL_UDP;
      this.#words[control + 3] = UDP_SEGMENT;
      writeAddress(this.#words, ((i * MMSGHDR_BYTES) >> 2) + Mmsghdr.control, this.#base + control * 4);
    }
  }

  /** Whether one more message from `socket` with so many own pieces fits; else the queue has to be flushed first. */
  accepts(socket: number, pieces: number): boolean {
    if (this.#count === 0) return true;
    return socket === this.#socket && this.#count < MESSAGES && this.#pieces + pieces <= PIECES;
  }

  /** Lays out a piece of a message that is added next, and returns its number. */
  piece(address: number, length: number): number {
    const piece = this.#pieces++;
    this.setShared(piece, address, length);
    return piece;
  }

  /** Lays out a piece that messages share, until it is laid out anew; below `MOST_COPIED`. */
  setShared(piece: number, address: number, length: number): void {
    const at = (PIECES_AT + piece * IOVEC_BYTES) >> 2;
    writeAddress(this.#words, at, address);
    this.#words[at + 2] = length;
  }

  extendShared(piece: number, length: number): void {
    this.#words[((PIECES_AT + piece * IOVEC_BYTES) >> 2) + 2]! += length;
  }

  /** Adds a message to a leg's address. `segment` is the length of all its datagrams but the last. */
  add(
    leg: number,
    socket: number,
    piece: number,
    pieces: number,
    datagrams: number,
    bytes: number,
    segment: number,
    address: number = LegWord.remote,
  ): void {
    const message = this.#count++;
    const words = this.#words;
    const at = (message * MMSGHDR_BYTES) >> 2;
    this.#socket = socket;
    writeAddress(words, at + Mmsghdr.name, this.#recordsBase + this.#records.addressOffset(leg, address));
    words[at + Mmsghdr.nameLength] = this.#records.addressLength(leg, address);
    writeAddress(words, at + Mmsghdr.iov, this.#base + PIECES_AT + piece * IOVEC_BYTES);
    words[at + Mmsghdr.iovLength] = pieces;
    const local = this.#records.local(leg);
    this.#localBytes[message] =
      local < 0 ? 0 : this.#addLocal(message, local, words[at + Mmsghdr.nameLength]!);
    this.#setControl(message, datagrams > 1 ? segment : 0);
    this.#legs[message] = leg;
    this.#datagrams[message] = datagrams;
    this.#bytes[message] = bytes;
    this.#segments[message] = segment;
  }

  /** Sends what waits. */
  flush(): void {
    const count = this.#count;
    this.#count = 0;
    this.#pieces = SHARED_PIECES;
    const fd = count > 0 ? this.#socketOf(this.#socket) : -1;
    if (fd < 0) return;
    for (let done = 0; done < count; ) {
      const sent = sendmmsg(fd, this.#base + done * MMSGHDR_BYTES, count - done, MSG_DONTWAIT);
      for (let i = done; i < done + sent; i++) this.#countSent(i);
      if (sent > 0) done += sent;
      else if (errno() !== EINTR) this.#giveUp(fd, done++, errno());
    }
  }

  #addLocal(message: number, local: number, nameLength: number): number {
    const at = (CONTROLS + message * SEND_CONTROL_BYTES + SEGMENT_CONTROL_BYTES) >> 2;
    const isVersion4 = nameLength === SOCKADDR_IN_BYTES;
    return writePacketInfo(this.#words, at, isVersion4, this.#records.words, local);
  }

  /** A segment of 0 bytes means none, also where its message is there because another one stands behind it. */
  #setControl(message: number, segment: number): void {
    const localBytes = this.#localBytes[message]!;
    const isNeeded = segment > 0 || localBytes > 0;
    const at = (message * MMSGHDR_BYTES) >> 2;
    this.#words[at + Mmsghdr.controlLength] = isNeeded ? SEGMENT_CONTROL_BYTES + localBytes : 0;
    if (isNeeded) this.#words[(CONTROLS + message * SEND_CONTROL_BYTES + CMSGHDR_BYTES) >> 2] = segment;
  }

  #countSent(message: number): void {
    const leg = this.#legs[message]!;
    const datagrams = this.#datagrams[message]!;
    const bytes = this.#bytes[message]!;
    this.#records.add(leg, LegNumber.sentDatagrams, datagrams);
    this.#records.add(leg, LegNumber.sentBytes, bytes);
    if (this.#segments[message] === NOT_MEDIA) return;
    this.#records.add(leg, LegNumber.sentPackets, datagrams);
    this.#records.add(leg, LegNumber.sentOctets, bytes - datagrams * RTP_HEADER_BYTES);
  }

  /** A message that the system refuses: a run that the path cannot segment goes out one by one, others are lost. */
  #giveUp(fd: number, message: number, error: number): void {
    const leg = this.#legs[message]!;
    const datagrams = this.#datagrams[message]!;
    if (datagrams > 1 && (error === EIO || error === EINVAL || error === EMSGSIZE)) {
      this.#records.setFlag(leg, LegFlag.NoSegmentation);
      this.#sendUnsegmented(fd, message);
      return;
    }
    const isFull = error === EAGAIN || error === ENOBUFS;
    this.#records.add(leg, isFull ? LegDrop.backPressure : LegDrop.sendError, datagrams);
  }

  /** Cuts a run at the ends of its segments, wherever those lie in its pieces. */
  #sendUnsegmented(fd: number, message: number): void {
    const words = this.#words;
    const at = (message * MMSGHDR_BYTES) >> 2;
    const leg = this.#legs[message]!;
    const segment = this.#segments[message]!;
    const first = (readAddress(words, at + Mmsghdr.iov) - this.#base) >> 2;
    let left = this.#bytes[message]!;
    let piece = first;
    let start = 0;
    this.#setControl(message, 0);
    writeAddress(words, at + Mmsghdr.iov, this.#base + PIECES_AT + PIECES * IOVEC_BYTES);
    for (; left > 0; left -= Math.min(segment, left)) {
      let wanted = Math.min(segment, left);
      const length = wanted;
      let used = 0;
      while (wanted > 0) {
        const taken = Math.min(wanted, words[piece + 2]! - start);
        this.setShared(PIECES + used++, readAddress(words, piece) + start, taken);
        wanted -= taken;
        start += taken;
        if (start === words[piece + 2]) {
          piece += IOVEC_BYTES / 4;
          start = 0;
        }
      }
      words[at + Mmsghdr.iovLength] = used;
      const isSent = sendmmsg(fd, this.#base + at * 4, 1, MSG_DONTWAIT) === 1;
      this.#datagrams[message] = 1;
      this.#bytes[message] = length;
      if (isSent) this.#countSent(message);
      else this.#records.add(leg, LegDrop.sendError, 1);
    }
  }
}
