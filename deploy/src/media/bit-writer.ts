// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** Writes an H.264 bit stream, most significant bit first, into a buffer that grows as needed. */
export class BitWriter {
  #bytes = Buffer.alloc(1024);
  #length = 0;
  /** Bits of the byte that is being written, and how many there are. */
  #pending = 0;
  #pendingBits = 0;

  /** Writes the low `count` bits of `value`, 0 to 32: `u(n)` of ITU-T H.264 section 7.2. */
  bits(value: number, count: number): this {
    for (let bit = count - 1; bit >= 0; bit--) {
      this.#pending = (this.#pending << 1) | ((value >>> bit) & 1);
      this.#pendingBits++;
      if (this.#pendingBits === 8) this.#flush();
    }
    return this;
  }

  /** Writes an unsigned Exp-Golomb code: `ue(v)` of section 9.1. */
  ue(value: number): this {
    const codeBits = 32 - Math.clz32(value + 1);
    return this.bits(0, codeBits - 1).bits(value + 1, codeBits);
  }

  /** Writes a signed Exp-Golomb code: `se(v)` of section 9.1.1. */
  se(value: number): this {
    return this.ue(value > 0 ? 2 * value - 1 : -2 * value);
  }

  /** Fills the current byte with zero bits. */
  align(): this {
    while (this.#pendingBits !== 0) this.bits(0, 1);
    return this;
  }

  /** Copies whole bytes. The position must be aligned. */
  bytes(source: Uint8Array): this {
    if (this.#pendingBits !== 0) throw new RangeError("whole bytes need an aligned position");
    this.#reserve(source.length);
    this.#bytes.set(source, this.#length);
    this.#length += source.length;
    return this;
  }

  /** Ends a NAL unit's payload with a one bit and zeros (section 7.3.2.11) and returns a copy of all bytes. */
  finish(): Buffer {
    this.bits(1, 1).align();
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }

  #flush(): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = this.#pending;
    this.#pending = 0;
    this.#pendingBits = 0;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = Buffer.alloc(Math.max(2 * this.#bytes.length, this.#length + count));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
