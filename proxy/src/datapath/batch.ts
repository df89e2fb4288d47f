// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Word and byte offsets of the fields of a descriptor: `msm_dgram` of filters/sdk/ABI.md, 64 bytes, one cache
 * line. The ring keeps its own descriptors in the very layout that filters see, so that handing a batch to a
 * filter is one copy and a pointer patch.
 */
export const DESCRIPTOR_BYTES = 64;
export const DESCRIPTOR_WORDS = DESCRIPTOR_BYTES / 4;

/** Offsets in 32-bit words from the start of a descriptor. */
export const Word = {
  /** Offset of the payload in the memory that holds the batch. */
  data: 0,
  /** Low half: length of the datagram in bytes. High half: bytes really present (`avail`). */
  length: 1,
  /** Context id of the session; 0 where there is none yet. */
  session: 2,
  /** Low half: flags. Bytes 2 and 3: TOS and TTL. */
  flags: 3,
  /** Kernel receive time, wall clock, nanoseconds: low and high word. */
  rxLow: 4,
  rxHigh: 5,
  /** Byte 0: action. Byte 1: drop reason. High half: `after`. */
  action: 6,
  target: 7,
  txLow: 8,
  txHigh: 9,
  mark: 10,
  addresses: 11,
  userLow: 12,
  userHigh: 13,
} as const;

/** What becomes of a datagram: `action` of `msm_dgram`. */
export const Action = { Continue: 0, Pause: 1, Drop: 2, Consume: 3, Reply: 4 } as const;

/** Bits of `flags` of `msm_dgram`. The first row comes from the host, the second from the filter. */
export const Flag = {
  UpstreamDirection: 1,
  Truncated: 2,
  Multicast: 4,
  Emitted: 8,
  GsoLast: 16,
  Dirty: 0x100,
  Retarget: 0x200,
  TxTime: 0x400,
  SetKey: 0x800,
} as const;

/**
 * The datagrams that one turn of a worker handles: payloads in slots and descriptors, both in one memory that
 * never grows, so that the views on it stay valid and native code may hold its address.
 *
 * `UpstreamDirection` in a descriptor's flags means that the datagram travels from the upstream endpoint to the
 * downstream client.
 */
export interface Batch {
  /** The whole memory, as bytes and as 32-bit words. */
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  /** Byte offset of descriptor 0; a multiple of 64. */
  readonly descriptors: number;
  /** The most descriptors that a batch may hold. */
  readonly capacity: number;
  /** Bytes before each payload that may be written when a datagram grows to the front. */
  readonly headroom: number;
  /**
   * Byte offset of the `struct sockaddr` that datagram `index` came from, for filters at stage LISTENER; absent where a
   * batch holds none.
   */
  sourceOf?(index: number): number;
  /**
   * Byte offset of the local IP address, in network order, that datagram `index` was sent to; -1, or absent, where its
   * listener has one alone.
   */
  localOf?(index: number): number;
  /** How many descriptors are valid. */
  count: number;
  /**
   * So many descriptors, from the first, have zero in every field behind the receive time, whatever batch they were
   * written for. Whoever writes such a field lowers this: what is known to be zero need not be written again.
   */
  cleanDescriptors: number;
}
