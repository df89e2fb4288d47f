// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** Reads the numbers and vectors of a WebAssembly binary from front to back. Throws RangeError behind its end. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  at: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    if (end > bytes.length) throw new RangeError("the module ends too early");
  }

  get isAtEnd(): boolean {
    return this.at >= this.end;
  }

  u8(): number {
    if (this.at >= this.end) throw new RangeError("the module ends too early");
    return this.bytes[this.at++]!;
  }

  /** An unsigned LEB128 number of at most 32 bits. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError("a number is too long");
  }

  /** Passes over one LEB128 number of any width. */
  skipNumber(): void {
    while (this.u8() >= 0x80);
  }

  skip(bytes: number): void {
    if (bytes > this.end - this.at) throw new RangeError("the module ends too early");
    this.at += bytes;
  }

  /** Passes over a name or another vector of bytes. */
  skipBytes(): void {
    this.skip(this.u32());
  }

  /** A vector of bytes as text. */
  name(): string {
    const length = this.u32();
    const start = this.at;
    this.skip(length);
    return new TextDecoder().decode(this.bytes.subarray(start, this.at));
  }
}
