// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { BufferType, Status } from "./abi.ts";
import type { GuestBuffer } from "./stream-buffer.ts";

const NO_BYTES = new Uint8Array(0);

/**
 * The bytes of a connection that a Proxy-Wasm filter is being shown. What it is given is never written to: a filter that
 * breaks has changed nothing.
 */
export class ByteBuffer implements GuestBuffer {
  readonly #limit: number;
  #content: Uint8Array = NO_BYTES;
  #type: number | null = null;

  /** `limit` is the most bytes that a filter may let it grow to. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get content(): Uint8Array {
    return this.#content;
  }

  /** Shows bytes that go to the client, or to the endpoint. */
  open(content: Uint8Array, isUpstream: boolean): void {
    this.#content = content;
    this.#type = isUpstream ? BufferType.UpstreamData : BufferType.DownstreamData;
  }

  /** The call is over. Returns what is in it now. */
  close(): Uint8Array {
    const content = this.#content;
    this.#content = NO_BYTES;
    this.#type = null;
    return content;
  }

  is(type: number): boolean {
    return this.#type === type;
  }

  replace(start: number, size: number, value: Uint8Array): number {
    const { length } = this.#content;
    const from = Math.min(start, length);
    const to = Math.min(from + size, length);
    const next = length - (to - from) + value.length;
    if (next > this.#limit && next > length) return Status.BadArgument;
    const changed = new Uint8Array(next);
    changed.set(this.#content.subarray(0, from));
    changed.set(value, from);
    changed.set(this.#content.subarray(to), from + value.length);
    this.#content = changed;
    return Status.Ok;
  }
}
