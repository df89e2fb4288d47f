// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

const LEAST_BYTES: u32 = 1024;

/** Bytes that are gathered for the host. Meant to be made once and used again: its memory grows and stays. */
export class ByteWriter {
  /** Where the bytes are; moves when something is added. */
  address: usize = 0;
  size: u32 = 0;
  private capacity: u32 = 0;

  /** Begins anew. */
  clear(): void {
    this.size = 0;
  }

  /** Adds one byte. */
  byte(value: u32): void {
    this.reserve(1);
    store<u8>(this.address + this.size++, <u8>value);
  }

  /** Adds a text whose characters are bytes. */
  text(value: string): void {
    const length = <u32>value.length;
    this.reserve(length);
    const from = changetype<usize>(value);
    const to = this.address + this.size;
    for (let i: usize = 0; i < length; i++) store<u8>(to + i, <u8>load<u16>(from + (i << 1)));
    this.size += length;
  }

  private reserve(more: u32): void {
    const needed = this.size + more;
    if (needed <= this.capacity) return;
    let capacity = max(this.capacity, LEAST_BYTES);
    while (capacity < needed) capacity <<= 1;
    const grown = heap.alloc(capacity);
    memory.copy(grown, this.address, this.size);
    if (this.capacity > 0) heap.free(this.address);
    this.address = grown;
    this.capacity = capacity;
  }
}
