// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readDecimal, textAt } from "./text";
import { TextMessage } from "./text-message";

const DOLLAR: u8 = 0x24;
const CARRIAGE_RETURN: u8 = 0x0d;
const LINE_FEED: u8 = 0x0a;

/** `$`, a channel and a length (RFC 2326 section 10.12). */
const FRAME_HEADER_BYTES: usize = 4;

const LEAST_KEPT_BYTES: usize = 256;

/** What `MessageReader.next` found. */
export enum Found {
  /** Nothing whole. */
  Nothing = 0,
  /** A request or response: `message`. */
  Message = 1,
  /** An interleaved packet: `channel`, `packet` and `packetSize`. */
  Frame = 2,
  /** Bytes that cannot be understood: `status` and `problem`. Nothing behind them can be. */
  Malformed = 3,
}

/** Bytes that all readers together keep. */
export let keptBytes: usize = 0;

/**
 * Reads messages and `$` frames from the bytes of a connection, split and joined as the network likes. Only what is not
 * whole yet is kept. Use: `begin` with the bytes, `next` until Nothing or as long as wanted, `finish`.
 */
export class MessageReader {
  message: TextMessage = new TextMessage();
  channel: u32 = 0;
  /** Where the packet is, until `finish`. */
  packet: usize = 0;
  packetSize: usize = 0;
  status: i32 = 0;
  problem: string = "";
  /** Whether a message came in part and its rest is missing. */
  isInMessage: bool = false;
  private at: usize = 0;
  private end: usize = 0;
  private kept: usize = 0;
  private keptCapacity: usize = 0;
  /** Bytes from `at` on that were searched for the end of a head. */
  private searched: usize = 0;
  /** Bytes of the body whose head is in `message`; below 0 where no head was read. */
  private bodyBytes: i64 = -1;

  constructor(
    private readonly protocol: string,
    private readonly maxHeadBytes: u32,
    private readonly maxBodyBytes: u32,
  ) {}

  /** Bytes that are kept. */
  get waiting(): u32 {
    return <u32>(this.end - this.at);
  }

  /** Goes on with new bytes, which stay valid until `finish`. */
  begin(address: usize, size: usize): void {
    const before = this.end - this.at;
    if (before == 0) {
      this.at = address;
      this.end = address + size;
      return;
    }
    this.keep(before + size);
    memory.copy(this.kept + before, address, size);
    this.end = this.kept + before + size;
  }

  /** Whether a frame follows, or may follow, and no message. */
  get isBeforeFrame(): bool {
    return this.bodyBytes < 0 && (this.at == this.end || load<u8>(this.at) == DOLLAR);
  }

  /** The next message or frame. */
  next(): Found {
    if (this.bodyBytes >= 0) return this.readBody();
    while (this.at < this.end && isLineEnd(load<u8>(this.at))) this.at++;
    this.isInMessage = false;
    if (this.at == this.end) return Found.Nothing;
    return load<u8>(this.at) == DOLLAR ? this.readFrame() : this.readMessage();
  }

  /** Keeps what is left, for the bytes given to `begin` are gone afterwards. */
  finish(): void {
    const left = this.end - this.at;
    if (left == 0) this.release();
    else this.keep(left);
  }

  /** Gives its memory back; what was not read is lost. */
  release(): void {
    if (this.keptCapacity > 0) heap.free(this.kept);
    keptBytes -= this.keptCapacity;
    this.kept = 0;
    this.keptCapacity = 0;
    this.at = 0;
    this.end = 0;
  }

  private readFrame(): Found {
    const available = this.end - this.at;
    if (available < FRAME_HEADER_BYTES) return Found.Nothing;
    const size = <usize>bswap<u16>(load<u16>(this.at, 2));
    if (available < FRAME_HEADER_BYTES + size) return Found.Nothing;
    this.channel = load<u8>(this.at, 1);
    this.packet = this.at + FRAME_HEADER_BYTES;
    this.packetSize = size;
    this.at += FRAME_HEADER_BYTES + size;
    return Found.Frame;
  }

  private readMessage(): Found {
    this.isInMessage = true;
    const head = this.findHeadEnd();
    if (head == 0 ? this.end - this.at > this.maxHeadBytes : head - this.at > this.maxHeadBytes) {
      return this.fail(413, "the head has more than " + this.maxHeadBytes.toString() + " bytes");
    }
    if (head == 0) return Found.Nothing;
    const message = new TextMessage();
    this.message = message;
    const problem = message.readHead(this.at, head, this.protocol);
    this.at = head;
    this.searched = 0;
    if (problem.length > 0) return this.fail(400, problem);
    const bodyBytes = bodyLength(message);
    if (bodyBytes < 0) return this.fail(400, "Content-Length is no number, or there are several");
    if (bodyBytes > <i64>this.maxBodyBytes) {
      return this.fail(413, "the body has more than " + this.maxBodyBytes.toString() + " bytes");
    }
    this.bodyBytes = bodyBytes;
    return this.readBody();
  }

  private readBody(): Found {
    const size = <usize>this.bodyBytes;
    if (this.end - this.at < size) return Found.Nothing;
    this.message.body = textAt(this.at, size);
    this.at += size;
    this.bodyBytes = -1;
    this.isInMessage = false;
    return Found.Message;
  }

  /** The address behind the empty line that ends the head, 0 where there is none yet. */
  private findHeadEnd(): usize {
    let at = this.at + this.searched;
    for (; at < this.end; at++) {
      if (load<u8>(at) != LINE_FEED) continue;
      let next = at + 1;
      if (next < this.end && load<u8>(next) == CARRIAGE_RETURN) next++;
      if (next == this.end) break;
      if (load<u8>(next) == LINE_FEED) return next + 1;
    }
    this.searched = at - this.at;
    return 0;
  }

  private fail(status: i32, problem: string): Found {
    this.status = status;
    this.problem = problem;
    this.at = this.end;
    return Found.Malformed;
  }

  /** Moves what was not read to memory of its own, which has room for `capacity` bytes. */
  private keep(capacity: usize): void {
    const left = this.end - this.at;
    if (capacity > this.keptCapacity) {
      let grown = LEAST_KEPT_BYTES;
      while (grown < capacity) grown <<= 1;
      const to = heap.alloc(grown);
      memory.copy(to, this.at, left);
      if (this.keptCapacity > 0) heap.free(this.kept);
      keptBytes += grown - this.keptCapacity;
      this.kept = to;
      this.keptCapacity = grown;
    } else if (this.at != this.kept) {
      memory.copy(this.kept, this.at, left);
    }
    this.at = this.kept;
    this.end = this.kept + left;
  }
}

function isLineEnd(byte: u8): bool {
  return byte == CARRIAGE_RETURN || byte == LINE_FEED;
}

/** Length of the body that a head announces; 0 where it says nothing, below 0 where it cannot be told. */
function bodyLength(message: TextMessage): i64 {
  let length: i64 = 0;
  let isFound = false;
  for (let i = 0; i < message.names.length; i++) {
    // `l` is its short form in SIP (RFC 3261 section 20.14).
    if (message.names[i] != "content-length" && message.names[i] != "l") continue;
    const value = readDecimal(message.values[i], i64.MAX_VALUE);
    if (value < 0 || (isFound && value != length)) return -1;
    length = value;
    isFound = true;
  }
  return length;
}
