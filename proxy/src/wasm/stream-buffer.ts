// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { BufferType, Status } from "./abi.ts";

/** The largest UDP payload. */
const MAX_DATAGRAM_BYTES = 65_507;

/** What a Proxy-Wasm filter is being shown as data of a connection. */
export interface GuestBuffer {
  /** What is in it; valid until it is changed. */
  readonly content: Uint8Array;
  /** Whether the buffer of that type is this one, now. */
  is(type: number): boolean;
  /** Replaces `size` bytes from `start` on; both are cut to what there is. Returns a status. */
  replace(start: number, size: number, value: Uint8Array): number;
}

/**
 * The datagram that a Proxy-Wasm filter is being shown as data of its connection. A copy, so that a filter that breaks
 * has changed nothing.
 */
export class StreamBuffer implements GuestBuffer {
  readonly #bytes = new Uint8Array(65_536);
  #length = 0;
  #type: number | null = null;
  /** Whether the filter wrote to it. */
  isChanged = false;

  /** What is in it; valid until it is changed. */
  get content(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Shows a datagram that goes to the client, or to the endpoint. */
  open(payload: Uint8Array, isUpstream: boolean): void {
    this.#bytes.set(payload);
    this.#length = payload.length;
    this.#type = isUpstream ? BufferType.UpstreamData : BufferType.DownstreamData;
    this.isChanged = false;
  }

  /** The call is over. */
  close(): void {
    this.#type = null;
  }

  /** Whether the buffer of that type is this one, now. */
  is(type: number): boolean {
    return this.#type === type;
  }

  /** Replaces `size` bytes from `start` on; both are cut to what there is. Returns a status. */
  replace(start: number, size: number, value: Uint8Array): number {
    const from = Math.min(start, this.#length);
    const to = Math.min(from + size, this.#length);
    const length = this.#length - (to - from) + value.length;
    if (length > MAX_DATAGRAM_BYTES) return Status.BadArgument;
    this.#bytes.copyWithin(from + value.length, to, this.#length);
    this.#bytes.set(value, from);
    this.#length = length;
    this.isChanged = true;
    return Status.Ok;
  }
}
