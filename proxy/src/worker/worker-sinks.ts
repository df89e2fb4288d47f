// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Sink } from "../wasm/filter-environment.ts";
import { Vital } from "./protocol.ts";

/** What a worker's filters may have written that is on no disk yet. More is refused: a slow disk must not eat memory. */
const MAX_BEHIND_BYTES = 4 << 20;

/** What a filter wrote, on its way to the main thread. */
export interface SinkRecord {
  readonly listener: string;
  readonly name: string;
  /** What each file of the sink begins with. */
  readonly header: Uint8Array;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The worker's side of the files that filters write. */
export class WorkerSinks {
  readonly #vitals: Float64Array;
  readonly #post: (record: SinkRecord) => void;
  #postedBytes = 0;

  /** `post` hands a record over, and its bytes. */
  constructor(vitals: Float64Array, post: (record: SinkRecord) => void) {
    this.#vitals = vitals;
    this.#post = post;
  }

  /** A sink of a listener's filter. What is written is copied. */
  open(listener: string, name: string, header: Uint8Array): Sink {
    return {
      write: (bytes) => {
        const posted = this.#postedBytes + bytes.length;
        if (posted - this.#vitals[Vital.sinkBytes]! > MAX_BEHIND_BYTES) return false;
        this.#postedBytes = posted;
        this.#post({ listener, name, header, bytes: new Uint8Array(bytes) });
        return true;
      },
    };
  }
}
