// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type TransferListItem, Worker } from "node:worker_threads";

/** When all is quiet again: a start, or what made a thread die, takes all of the machine. */
const SPARE_DELAY_MS = 1_000;

/** What a starter needs to know. */
export interface ThreadStarterOptions {
  /** The module that the threads run; it gets what they are to do from `awaitWork`. */
  readonly entry: URL;
  /** For debuggers. */
  readonly name: string;
  /** `workerData` of the threads: what they can prepare before they have anything to do. */
  readonly preparation?: unknown;
  /** Options of Node; those of this process unless said. */
  readonly execArgv?: string[];
}

/**
 * Starts threads of one kind, and keeps one more that has loaded everything and sleeps: to load it takes some hundred
 * milliseconds, for which nobody should have to wait when a thread has died.
 */
export class ThreadStarter {
  readonly #options: ThreadStarterOptions;
  #spare: Worker | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: ThreadStarterOptions) {
    this.#options = options;
  }

  /** Whether the next thread is there already. */
  get hasSpare(): boolean {
    return this.#spare !== undefined;
  }

  /** A thread that works on `work` from now on. `transfer` is what of it changes hands. */
  start(work: unknown, transfer: readonly TransferListItem[]): Worker {
    const worker = this.#spare ?? this.#create();
    this.#spare = undefined;
    worker.removeAllListeners();
    worker.ref();
    worker.postMessage(work, transfer);
    clearTimeout(this.#timer);
    if (!this.#isClosed) this.#timer = setTimeout(() => this.#prepareSpare(), SPARE_DELAY_MS).unref();
    return worker;
  }

  /** Ends the spare thread; none is made any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const spare = this.#spare;
    this.#spare = undefined;
    await spare?.terminate();
  }

  #prepareSpare(): void {
    if (this.#spare !== undefined || this.#isClosed) return;
    const spare = this.#create();
    this.#spare = spare;
    spare.unref();
    // One that cannot be loaded is none; the next start will say why.
    spare.on("error", () => {});
    spare.once("exit", () => {
      if (this.#spare === spare) this.#spare = undefined;
    });
  }

  #create(): Worker {
    const { entry, name, preparation, execArgv } = this.#options;
    // Where none are said they must not be named: Node refuses those of V8, `--perf-basic-prof`, and threads have them anyway.
    return new Worker(entry, { name, workerData: preparation, execArgv });
  }
}
