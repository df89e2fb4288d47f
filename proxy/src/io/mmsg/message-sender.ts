// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Ring } from "../../datapath/ring.ts";
import { SOCKADDR_IN_BYTES } from "../../datapath/sockaddr.ts";
import type { SendCounts } from "../io-backend.ts";
import {
  addressOf,
  EAGAIN,
  ECONNREFUSED,
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
import { writePacketInfo } from "./packet-info.ts";
import { SUBMISSIONS, type SubmissionRing } from "./submission-ring.ts";

/** The kernel takes 64 segments everywhere (UDP_MAX_SEGMENTS was raised to 128 only lately). */
const MOST_SEGMENTS = 64;
/** The largest UDP payload over IPv4 with room for IPv6's larger header. */
const MOST_BYTES = 65_000;
/** Fewer messages than these cost less by a call each than by a submission together. */
const WORTH_SUBMITTING = 3;
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
  /** Where the local address of what is added stands, if the socket has several. */
  #locals: Uint32Array | Int32Array;
  #local = -1;
  /** By message: datagrams, bytes, the length of all datagrams but the last, and bytes of control about its local address. */
  readonly #datagrams = new Uint32Array(SEND_MESSAGES);
  readonly #bytes = new Uint32Array(SEND_MESSAGES);
  readonly #segments = new Uint32Array(SEND_MESSAGES);
  readonly #localBytes = new Uint8Array(SEND_MESSAGES);
  #pieceEnd = 0;
  readonly #submissions: SubmissionRing | undefined;
  /** How many messages, from the first, wait for `submit`; by message: the socket that it leaves by, and whose it is. */
  #held = 0;
  readonly #sockets = new Int32Array(SEND_MESSAGES);
  readonly #owners = new Uint32Array(SEND_MESSAGES);

  /** With `submissions`, messages of several sockets may be held and leave together. */
  constructor(ring: Ring, submissions?: SubmissionRing) {
    this.#submissions = submissions;
    this.#words = ring.words;
    this.#locals = ring.words;
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
   * What is added from now on leaves from the local address at word `local` of `words`, in the form of `local-address.ts`, or
   * with -1 from the one that the system chooses, which is what every caller leaves behind.
   */
  leaveFrom(words: Uint32Array | Int32Array, local: number): void {
    this.#locals = words;
    this.#local = local;
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
    this.#localBytes[message] = this.#local < 0 ? 0 : this.#addLocal(message, nameLength);
  }

  /** Sends everything collected. */
  flush(fd: number): void {
    this.isSegmentationRefused = false;
    this.isPeerGone = false;
    const count = this.#messageCount;
    if (count === 1 && this.#isPlain(0)) this.#sendSingle(fd, 0);
    else {
      this.#finish(count);
      this.#sendMany(fd, 0, count);
    }
    this.discard();
  }

  /** What was added since the last `hold` leaves by this socket when `submit` is called, and is `owner`'s. */
  hold(fd: number, owner: number): void {
    for (let i = this.#held; i < this.#messageCount; i++) {
      this.#sockets[i] = fd;
      this.#owners[i] = owner;
    }
    this.#held = this.#messageCount;
    this.#isOpen = false;
  }

  /** Sends what is held. `onRefusal` is called with the owner where `isSegmentationRefused` or `isPeerGone` is set. */
  submit(onRefusal: (owner: number) => void): void {
    const submissions = this.#submissions!;
    const count = this.#held;
    this.#finish(count);
    if (count < WORTH_SUBMITTING) {
      for (let i = 0; i < count; i++) this.#sendHeld(i, onRefusal);
      this.discard();
      return;
    }
    for (let first = 0; first < count; first += SUBMISSIONS) {
      const end = Math.min(first + SUBMISSIONS, count);
      for (let i = first; i < end; i++) this.#add(submissions, i);
      submissions.submit();
      this.#countSent(first, end - first);
      for (let failed = submissions.nextFailure(); failed >= 0; failed = submissions.nextFailure())
        this.#resend(first + failed, submissions.error, onRefusal);
    }
    this.discard();
  }

  /** Forgets what was collected. */
  discard(): void {
    this.#messageCount = 0;
    this.#pieceCount = 0;
    this.#held = 0;
    this.#isOpen = false;
  }

  #addPiece(offset: number, length: number): void {
    const piece = (this.#pieces + this.#pieceCount++ * IOVEC_BYTES) >> 2;
    writeAddress(this.#words, piece, this.#base + offset);
    this.#words[piece + 2] = length;
  }

  #addLocal(message: number, nameLength: number): number {
    const at = (this.#control + message * SEND_CONTROL_BYTES + SEGMENT_CONTROL_BYTES) >> 2;
    return writePacketInfo(this.#words, at, nameLength === SOCKADDR_IN_BYTES, this.#locals, this.#local);
  }

  /** Whether it is one datagram for a connected socket. */
  #isPlain(message: number): boolean {
    if (this.#datagrams[message] !== 1) return false;
    return this.#words[((this.#messages + message * MMSGHDR_BYTES) >> 2) + Mmsghdr.nameLength] === 0;
  }

  /** One datagram on a connected socket: the cheapest call there is. */
  #sendSingle(fd: number, message: number): void {
    const length = this.#bytes[message]!;
    const data = readAddress(this.#words, this.#firstPiece(message));
    let result = send(fd, data, length, MSG_DONTWAIT);
    if (result < 0 && this.#mayRetry(errno())) result = send(fd, data, length, MSG_DONTWAIT);
    if (result < 0) this.#count(message, errno());
    else this.#countSent(message, 1);
  }

  /** Where the first piece of a message stands, in words. */
  #firstPiece(message: number): number {
    const at = (this.#messages + message * MMSGHDR_BYTES) >> 2;
    return (readAddress(this.#words, at + Mmsghdr.iov) - this.#base) / 4;
  }

  /** Sends a message that is held by a call of its own. */
  #sendHeld(message: number, onRefusal: (owner: number) => void): void {
    this.isSegmentationRefused = false;
    this.isPeerGone = false;
    const fd = this.#sockets[message]!;
    if (this.#isPlain(message)) this.#sendSingle(fd, message);
    else this.#sendMany(fd, message, message + 1);
    if (this.isSegmentationRefused || this.isPeerGone) onRefusal(this.#owners[message]!);
  }

  /** Says in the first `count` messages how they are to be segmented, now that it is known. */
  #finish(count: number): void {
    for (let i = 0; i < count; i++) this.#setControl(i, this.#datagrams[i]! > 1 ? this.#segments[i]! : 0);
  }

  /** A segment of 0 bytes means none, also where its message is there because another one stands behind it. */
  #setControl(message: number, segment: number): void {
    const at = (this.#messages + message * MMSGHDR_BYTES) >> 2;
    const localBytes = this.#localBytes[message]!;
    const isNeeded = segment > 0 || localBytes > 0;
    this.#words[at + Mmsghdr.controlLength] = isNeeded ? SEGMENT_CONTROL_BYTES + localBytes : 0;
    this.#words[(this.#control + message * SEND_CONTROL_BYTES + CMSGHDR_BYTES) >> 2] = segment;
  }

  #add(submissions: SubmissionRing, message: number): void {
    const fd = this.#sockets[message]!;
    if (this.#isPlain(message)) {
      const piece = this.#firstPiece(message);
      submissions.addSend(fd, this.#words[piece]!, this.#words[piece + 1]!, this.#bytes[message]!);
    } else submissions.addMessage(fd, this.#base + this.#messages + message * MMSGHDR_BYTES);
  }

  /** Goes on with a message that was counted as sent and was not. */
  #resend(message: number, error: number, onRefusal: (owner: number) => void): void {
    this.sent.datagrams -= this.#datagrams[message]!;
    this.sent.bytes -= this.#bytes[message]!;
    this.isSegmentationRefused = false;
    this.isPeerGone = false;
    const fd = this.#sockets[message]!;
    if (this.#mayRetry(error)) this.#sendMany(fd, message, message + 1);
    else if (this.#mayBeUnsegmented(message, error)) this.#sendUnsegmented(fd, message);
    else this.#count(message, error);
    if (this.isSegmentationRefused || this.isPeerGone) onRefusal(this.#owners[message]!);
  }

  /** Messages from `first` to before `end`. */
  #sendMany(fd: number, first: number, end: number): void {
    let isRetry = false;
    for (let done = first; done < end; ) {
      const sent = sendmmsg(fd, this.#base + this.#messages + done * MMSGHDR_BYTES, end - done, MSG_DONTWAIT);
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
      if (this.#mayBeUnsegmented(done, error)) this.#sendUnsegmented(fd, done);
      else this.#count(done, error);
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
    this.#setControl(message, 0);
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

  #mayBeUnsegmented(message: number, error: number): boolean {
    return this.#datagrams[message]! > 1 && (error === EIO || error === EINVAL || error === EMSGSIZE);
  }

  /** What ICMP said of an earlier datagram may be any errno. */
  #mayRetry(error: number): boolean {
    if (error === ECONNREFUSED) this.isPeerGone = true;
    return error !== EAGAIN && error !== ENOBUFS;
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
