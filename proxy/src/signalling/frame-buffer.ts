// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { OWN_HEADER_BYTES } from "../flow/interleaved-ring.ts";

/** `$`, channel and length (RFC 2326 section 10.12). */
const HEAD_BYTES = 4;
const DOLLAR = 0x24;
/** A group of pictures' largest batch in one piece, mostly; kept for each connection that carries media. */
const CHUNK_BYTES = 32_768;

/** Gathers interleaved frames to be written at once. Memory is taken in chunks, not for each frame. */
export class FrameBuffer {
  #chunk = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  /** Bytes that are gathered now. */
  get length(): number {
    return this.#end - this.#start;
  }

  /**
   * Appends one packet of at most 65,535 bytes as a frame. Unless `header` is -1, the `OWN_HEADER_BYTES` there take the
   * place of the packet's first.
   */
  add(channel: number, bytes: Uint8Array, start: number, end: number, header = -1): void {
    const size = end - start;
    this.#reserve(HEAD_BYTES + size);
    const chunk = this.#chunk;
    const at = this.#end;
    chunk[at] = DOLLAR;
    chunk[at + 1] = channel;
    chunk[at + 2] = size >>> 8;
    chunk[at + 3] = size;
    chunk.set(bytes.subarray(start, end), at + HEAD_BYTES);
    if (header >= 0) {
      for (let i = 0; i < OWN_HEADER_BYTES; i++) chunk[at + HEAD_BYTES + i] = bytes[header + i]!;
    }
    this.#end = at + HEAD_BYTES + size;
  }

  /** What was gathered, which is the taker's from now on. */
  take(): Buffer {
    const frames = this.#chunk.subarray(this.#start, this.#end);
    this.#start = this.#end;
    return frames;
  }

  /** Nobody holds any more what `take` returned: its memory is used again. */
  reuse(): void {
    if (this.#start < this.#end) return;
    this.#start = 0;
    this.#end = 0;
  }

  #reserve(size: number): void {
    if (this.#end + size <= this.#chunk.length) return;
    const gathered = this.#chunk.subarray(this.#start, this.#end);
    this.#chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, 2 * (gathered.length + size)));
    this.#chunk.set(gathered);
    this.#start = 0;
    this.#end = gathered.length;
  }
}
