// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** Bytes of the longest form of a 32-bit LEB128 number. */
const PADDED_BYTES = 5;

/** Builds a WebAssembly binary; grows by doubling. */
export class ByteWriter {
  length = 0;
  #bytes: Uint8Array;

  constructor(capacity = 1_024) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** What was written, valid until the next write. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  clear(): void {
    this.length = 0;
  }

  u8(...values: readonly number[]): void {
    this.#reserve(values.length);
    for (const value of values) this.#bytes[this.length++] = value;
  }

  /** An unsigned LEB128 number. */
  u32(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.u8((rest & 0x7f) | 0x80);
    this.u8(rest);
  }

  /** Leaves room for a number that is known later. Returns where. */
  reservePadded(): number {
    this.#reserve(PADDED_BYTES);
    this.length += PADDED_BYTES;
    return this.length - PADDED_BYTES;
  }

  /** Fills in a number below 2^31, in the longest form, which reads the same signed and unsigned. */
  putPadded(at: number, value: number): void {
    for (let i = 0; i < PADDED_BYTES; i++) {
      const byte = (value >>> (7 * i)) & 0x7f;
      this.#bytes[at + i] = i === PADDED_BYTES - 1 ? byte : byte | 0x80;
    }
  }

  bytes(source: Uint8Array): void {
    this.#reserve(source.length);
    this.#bytes.set(source, this.length);
    this.length += source.length;
  }

  name(text: string): void {
    const encoded = new TextEncoder().encode(text);
    this.u32(encoded.length);
    this.bytes(encoded);
  }

  #reserve(count: number): void {
    if (this.length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + count));
    larger.set(this.#bytes.subarray(0, this.length));
    this.#bytes = larger;
  }
}
