// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { SLOTS } from "../../datapath/ring.ts";

// The structures of recvmmsg(2), sendmmsg(2), cmsg(3) and epoll_wait(2) on 64-bit Linux, in bytes and in 32-bit words.
export const MMSGHDR_BYTES = 64;
export const IOVEC_BYTES = 16;
export const CMSGHDR_BYTES = 16;
/** Word offsets in `struct mmsghdr`. */
export const Mmsghdr = {
  name: 0,
  nameLength: 2,
  iov: 4,
  iovLength: 6,
  control: 8,
  controlLength: 10,
  flags: 12,
  length: 14,
} as const;
/** `struct epoll_event` is packed on x86-64 alone. */
export const EPOLL_EVENT_BYTES = process.arch === "x64" ? 12 : 16;
export const EPOLL_DATA_WORD = process.arch === "x64" ? 1 : 2;

/** Messages and pieces of one sendmmsg: more than a full receive of separate datagrams needs. */
export const SEND_MESSAGES = 128;
export const SEND_PIECES = 1024;
export const EVENTS = 64;
/** Time stamp, drop counter, segment size and local address: 32 + 24 + 24 + 40 bytes. */
export const RECEIVE_CONTROL_BYTES = 128;
/** Segment size and local address: 24 + 40 bytes. */
export const SEND_CONTROL_BYTES = 64;

/** Byte offsets from the start of the backend's area of the ring. */
export const Area = (() => {
  let end = 0;
  const take = (bytes: number): number => {
    end += bytes;
    return end - bytes;
  };
  return {
    receiveMessages: take(SLOTS * MMSGHDR_BYTES),
    receivePieces: take(SLOTS * IOVEC_BYTES),
    receiveControl: take(SLOTS * RECEIVE_CONTROL_BYTES),
    sendMessages: take(SEND_MESSAGES * MMSGHDR_BYTES),
    sendPieces: take(SEND_PIECES * IOVEC_BYTES),
    sendControl: take(SEND_MESSAGES * SEND_CONTROL_BYTES),
    events: take(EVENTS * 16),
    /** The argument of epoll_ctl. */
    control: take(16),
    eventCounter: take(8),
    bytes: take(0),
  } as const;
})();

const TWO_32 = 0x1_0000_0000;

/** Writes a native address as the 64-bit word at `word`. */
export function writeAddress(words: Uint32Array, word: number, address: number): void {
  words[word] = address;
  words[word + 1] = address / TWO_32;
}

/** Reads what `writeAddress` writes. */
export function readAddress(words: Uint32Array, word: number): number {
  return words[word]! + words[word + 1]! * TWO_32;
}
