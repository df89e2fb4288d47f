// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { addressOf } from "./libc.ts";

const PAGE_BYTES = 65_536;

/**
 * Memory for the arguments of system calls, zero at first; it never grows. It exists for as long as this object or one
 * of its views is referenced. `address` alone, a number, keeps nothing: whoever uses it holds one of the others, too.
 */
export class NativeMemory {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  /** Where it begins, for native code. */
  readonly address: number;

  constructor(bytes: number) {
    const pages = Math.ceil(bytes / PAGE_BYTES);
    const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.bytes = new Uint8Array(buffer);
    this.words = new Uint32Array(buffer);
    this.address = addressOf(this.bytes);
  }
}
