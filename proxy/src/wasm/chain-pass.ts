// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type Batch, DESCRIPTOR_WORDS, Word } from "../datapath/batch.ts";

/**
 * What a pass of a batch through a chain has to remember: whether any filter changed a descriptor, and where payloads
 * began before the first was moved. Most passes move nothing, so the latter is noted only when it comes to that.
 */
export class ChainPass {
  /** Whether a datagram was dropped, taken out of the batch or changed otherwise than in the bytes of its payload. */
  isTouched = false;
  /** By descriptor of the batch: address of the payload when the pass began. Valid after `noteOrigins`. */
  readonly origins: Uint32Array;
  #hasOrigins = false;

  /** For batches of at most `capacity` descriptors. */
  constructor(capacity: number) {
    this.origins = new Uint32Array(capacity);
  }

  begin(): void {
    this.isTouched = false;
    this.#hasOrigins = false;
  }

  /** Something in a descriptor of the batch changed. */
  touch(batch: Batch): void {
    this.isTouched = true;
    batch.cleanDescriptors = 0;
  }

  /** To be called before a payload is moved; `live` are all descriptors that are still in the pass. */
  noteOrigins(batch: Batch, live: Uint32Array, count: number): void {
    if (this.#hasOrigins) return;
    this.#hasOrigins = true;
    const { words } = batch;
    const base = (batch.descriptors >>> 2) + Word.data;
    for (let i = 0; i < count; i++) {
      const index = live[i]!;
      this.origins[index] = words[base + index * DESCRIPTOR_WORDS]!;
    }
  }
}
