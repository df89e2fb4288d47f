// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { DatapathLogger } from "./datapath-logger.ts";
import { RotatingFile, type RotationLimits } from "./rotating-file.ts";
import type { SinkRecord } from "./worker-sinks.ts";

/** Sinks of one proxy: listeners times filters times workers. Each has a file open. */
const MAX_SINKS = 64;

/** 128 MiB a sink. */
const DEFAULT_LIMITS: RotationLimits = { fileBytes: 16 << 20, files: 8 };

interface OpenSink {
  readonly file: RotatingFile;
  tail: Promise<void>;
  isBroken: boolean;
}

/** The files that filters write: `<listener>.<worker>.<number>.<name>` in one folder. */
export class SinkFiles {
  readonly #folder: string;
  readonly #logger: DatapathLogger;
  readonly #limits: RotationLimits;
  readonly #sinks = new Map<string, OpenSink>();
  #isClosed = false;

  constructor(folder: string, logger: DatapathLogger, limits = DEFAULT_LIMITS) {
    this.#folder = folder;
    this.#logger = logger;
    this.#limits = limits;
  }

  /** Resolves when the record is written, or lost, which is logged once until writing works again. Never rejects. */
  write(worker: number, { listener, name, header, bytes }: SinkRecord): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    const stem = `${listener.replaceAll(/[^\w-]/g, "_").slice(0, 100)}.${worker}`;
    const sink = this.#sink(stem, name);
    if (sink === undefined) return Promise.resolve();
    sink.tail = sink.tail
      .then(() => sink.file.append(header, bytes))
      .then(() => {
        sink.isBroken = false;
      })
      .catch((error: unknown) => this.#noteLoss(sink, stem, error));
    return sink.tail;
  }

  /** Writes what was handed over, and closes the files. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { file, tail } of this.#sinks.values()) {
      await tail;
      await file.close();
    }
    this.#sinks.clear();
  }

  #sink(stem: string, name: string): OpenSink | undefined {
    const key = `${stem} ${name}`;
    const known = this.#sinks.get(key);
    if (known !== undefined || this.#sinks.size === MAX_SINKS) return known;
    const file = new RotatingFile(this.#folder, stem, name, this.#limits);
    const sink = { file, tail: Promise.resolve(), isBroken: false };
    this.#sinks.set(key, sink);
    return sink;
  }

  #noteLoss(sink: OpenSink, stem: string, error: unknown): void {
    if (!sink.isBroken) {
      this.#logger.error(
        { sink: stem, folder: this.#folder, error: String(error) },
        "cannot write what a filter captured",
      );
    }
    sink.isBroken = true;
  }
}
