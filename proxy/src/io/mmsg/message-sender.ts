// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Ring } from "../../datapath/ring.ts";
import type { SendCounts } from "../io-backend.ts";
import {
  addressOf,
  EAGAIN,
  ECONNREFUSED,
  EINTR,
  EINVAL,
  EIO,
  EMSGSIZE,
  ENOBUFS,
  errno,
  MSG_DONTWAIT,
  SOL_UDP,
  send,
  sendmmsg,
  UDP_SEGMENT,
} from "./libc.ts";
import {
  Area,
  CMSGHDR_BYTES,
  IOVEC_BYTES,
  MMSGHDR_BYTES,
  Mmsghdr,
  readAddress,
  SEND_CONTROL_BYTES,
  SEND_MESSAGES,
  SEND_PIECES,
  writeAddress,
} from "./native-layout.ts";

/** The kernel takes 64 segments everywhere (UDP_MAX_SEGMENTS was raised to 128 only lately). */
const MOST_SEGMENTS = 64;
/** The largest UDP payload over IPv4 with room for IPv6's larger header. */
const MOST_BYTES = 65_000;
/** CMSG_LEN(2) and CMSG_SPACE(2): a header and one 16-bit value. */
const CMSG_SEGMENT_BYTES = CMSGHDR_BYTES + 2;
const SEGMENT_CONTROL_BYTES = CMSGHDR_BYTES + 8;

/** Whether so many datagrams of so many bytes together can leave as one segmented message. */
export function fitsOneMessage(datagrams: number, bytes: number): boolean {
  return datagrams <= MOST_SEGMENTS && bytes <= MOST_BYTES;
}

/**
 * Collects datagrams for one socket and sends them with few system calls. Consecutive datagrams to one receiver
 * with one size (the last may be shorter) leave as one message that the kernel cuts up again (UDP_SEGMENT).
 */
export class MessageSender {
  readonly sent: SendCounts = { datagrams: 0, bytes: 0, errors: 0, overflows: 0 };
  /** Whether the flush just made found that the path refuses segmentation, or that nobody listens at the far end. */
  isSegmentationRefused = false;
  isPeerGone = false;
  readonly #words: Uint32Array;
  readonly #base: number;
  readonly #messages: number;
  readonly #pieces: number;
  readonly #control: number;
  #messageCount = 0;
  #pieceCount = 0;
  /** Whether one more datagram may join the last message. */
  #isOpen = false;
  /** By message: datagrams, bytes and the length of all datagrams but the last. */
  readonly #datagrams = new Uint32Array(SEND_MESSAGES);
  readonly #bytes = new Uint32Array(SEND_MESSAGES);
  readonly #segments = new Uint32Array(SEND_MESSAGES);
  #pieceEnd = 0;

  constructor(ring: Ring) {
    this.#words = ring.words;
    this.#base = addressOf(ring.bytes);
    this.#messages = ring.backendArea + Area.sendMessages;
    this.#pieces = ring.backendArea + Area.sendPieces;
    this.#control = ring.backendArea + Area.sendControl;
    for (let i = 0; i < SEND_MESSAGES; i++) {
      const control = (this.#control + i * SEND_CONTROL_BYTES) >> 2;
      this.#words[control] = CMSG_SEGMENT_BYTES;
      this.#words[control + 2] = SOL_UDP;
      this.#words[control + 3] = UDP_SEGMENT;
      writeAddress(
        this.#words,
        (this.#messages + i * MMSGHDR_BYTES + Mmsghdr.control * 4) >> 2,
        this.#base + control * 4,
      );
    }
  }

  get isFull(): boolean {
    return this.#messageCount === SEND_MESSAGES || this.#pieceCount === SEND_PIECES;
  }

  /**
   * Adds a run of `count` datagrams of `segment` bytes, the last of which may be shorter, for the receiver of the one
   * before. Returns false where it needs a message of its own.
   */
  joinRun(offset: number, length: number, segment: number, count: number): boolean {
    if (!this.#isOpen || length === 0) return false;
    const message = this.#messageCount - 1;
    const size = this.#segments[message]!;
    // Only the last segment of all may be shorter.
    if (segment !== size && (count > 1 || length > size)) return false;
    if (!fitsOneMessage(this.#datagrams[message]! + count, this.#bytes[message]! + length)) return false;
    if (offset === this.#pieceEnd) {
      const piece = (this.#pieces + (this.#pieceCount - 1) * IOVEC_BYTES) >> 2;
      this.#words[piece + 2]! += length;
    } else {
      if (this.#pieceCount === SEND_PIECES) return false;
      this.#addPiece(offset, length);
      this.#words[(this.#messages + message * MMSGHDR_BYTES + Mmsghdr.iovLength * 4) >> 2]!++;
    }
    this.#pieceEnd = offset + length;
    this.#datagrams[message]! += count;
    this.#bytes[message]! += length;
    this.#isOpen = length === count * size;
    return true;
  }

  /**
   * Starts a message with such a run; `name` is the receiver's native address, 0 on a connected socket. There must be
   * room for it (`isFull`), and a run of more than one datagram must fit one message.
   */
  addRun(
    offset: number,
    length: number,
    segment: number,
    count: number,
    name: number,
    nameLength: number,
    maySegment: boolean,
  ): void {
    const message = this.#messageCount++;
    const at = (this.#messages + message * MMSGHDR_BYTES) >> 2;
    writeAddress(this.#words, at + Mmsghdr.name, name);
    this.#words[at + Mmsghdr.nameLength] = nameLength;
    writeAddress(this.#words, at + Mmsghdr.iov, this.#base + this.#pieces + this.#pieceCount * IOVEC_BYTES);
    this.#words[at + Mmsghdr.iovLength] = 1;
    this.#addPiece(offset, length);
    this.#pieceEnd = offset + length;
    this.#segments[message] = segment;
    this.#isOpen = maySegment && length === count * segment;
    this.#datagrams[message] = count;
    this.#bytes[message] = length;
  }

  /** Sends everything collected. */
  flush(fd: number): void {
    this.isSegmentationRefused = false;
    this.isPeerGone = false;
    const count = this.#messageCount;
    if (count === 1 && this.#datagrams[0] === 1 && this.#isConnected(0)) this.#sendSingle(fd);
    else this.#sendMany(fd, count);
    this.discard();
  }

  /** Forgets what was collected. */
  discard(): void {
    this.#messageCount = 0;
    this.#pieceCount = 0;
    this.#isOpen = false;
  }

  #addPiece(offset: number, length: number): void {
    const piece = (this.#pieces + this.#pieceCount++ * IOVEC_BYTES) >> 2;
    writeAddress(this.#words, piece, this.#base + offset);
    this.#words[piece + 2] = length;
  }

  #isConnected(message: number): boolean {
    return this.#words[((this.#messages + message * MMSGHDR_BYTES) >> 2) + Mmsghdr.nameLength] === 0;
  }

  /** One datagram on a connected socket: the cheapest call there is. */
  #sendSingle(fd: number): void {
    const length = this.#bytes[0]!;
    const data = this.#base + this.#pieceEnd - length;
    let result = send(fd, data, length, MSG_DONTWAIT);
    if (result < 0 && this.#mayRetry(errno())) result = send(fd, data, length, MSG_DONTWAIT);
    if (result < 0) this.#count(0, errno());
    else this.#countSent(0, 1);
  }

  #sendMany(fd: number, count: number): void {
    for (let i = 0; i < count; i++) {
      const at = (this.#messages + i * MMSGHDR_BYTES) >> 2;
      this.#words[at + Mmsghdr.controlLength] = this.#datagrams[i]! > 1 ? SEGMENT_CONTROL_BYTES : 0;
      this.#words[(this.#control + i * SEND_CONTROL_BYTES + CMSGHDR_BYTES) >> 2] = this.#segments[i]!;
    }
    let isRetry = false;
    for (let done = 0; done < count; ) {
      const sent = sendmmsg(
        fd,
        this.#base + this.#messages + done * MMSGHDR_BYTES,
        count - done,
        MSG_DONTWAIT,
      );
      if (sent > 0) {
        this.#countSent(done, sent);
        done += sent;
        isRetry = false;
        continue;
      }
      const error = errno();
      // An error that an earlier datagram left behind is reported once; the datagram at hand was not sent.
      if (!isRetry && this.#mayRetry(error)) {
        isRetry = true;
        continue;
      }
      if (this.#datagrams[done]! > 1 && (error === EIO || error === EINVAL || error === EMSGSIZE)) {
        this.#sendUnsegmented(fd, done);
      } else this.#count(done, error);
      done++;
      isRetry = false;
    }
  }

  /** A run that the path cannot segment goes out one by one. */
  #sendUnsegmented(fd: number, message: number): void {
    this.isSegmentationRefused = true;
    const at = (this.#messages + message * MMSGHDR_BYTES) >> 2;
    const words = this.#words;
    const firstPiece = (readAddress(words, at + Mmsghdr.iov) - this.#base - this.#pieces) / IOVEC_BYTES;
    const pieces = words[at + Mmsghdr.iovLength]!;
    const segment = this.#segments[message]!;
    words[at + Mmsghdr.controlLength] = 0;
    words[at + Mmsghdr.iovLength] = 1;
    for (let i = firstPiece; i < firstPiece + pieces; i++) {
      const piece = (this.#pieces + i * IOVEC_BYTES) >> 2;
      const end = words[piece + 2]!;
      writeAddress(words, at + Mmsghdr.iov, this.#base + piece * 4);
      const start = readAddress(words, piece);
      for (let offset = 0; offset < end; offset += segment) {
        const length = Math.min(segment, end - offset);
        writeAddress(words, piece, start + offset);
        words[piece + 2] = length;
        if (sendmmsg(fd, this.#base + at * 4, 1, MSG_DONTWAIT) === 1) {
          this.sent.datagrams++;
          this.sent.bytes += length;
        } else this.sent.errors++;
      }
    }
  }

  #mayRetry(error: number): boolean {
    if (error === ECONNREFUSED) this.isPeerGone = true;
    return error === ECONNREFUSED || error === EINTR;
  }

  #countSent(first: number, messages: number): void {
    for (let i = first; i < first + messages; i++) {
      this.sent.datagrams += this.#datagrams[i]!;
      this.sent.bytes += this.#bytes[i]!;
    }
  }

  #count(message: number, error: number): void {
    const lost = this.#datagrams[message]!;
    if (error === EAGAIN || error === ENOBUFS) this.sent.overflows += lost;
    else this.sent.errors += lost;
  }
}
