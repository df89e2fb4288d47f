// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { exitWithParentUrl } from "./exit-with-parent.ts";

/** A Node program that runs beside this process. */
export interface ChildOptions {
  /** What messages call it. */
  readonly name: string;
  /** The script and its arguments. */
  readonly args: readonly string[];
  /** Everything it writes goes here; an older file is replaced. */
  readonly logPath: string;
}

/** How a child ended. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A line of a log in JSON; lines that are none are not looked at. */
export type LogRecord = Readonly<Record<string, unknown>>;

const KEPT_LINES = 400;
const STOP_GRACE_MS = 5000;

/**
 * A child process whose log is kept and can be waited on. It stands in a process group of its own, so that Ctrl-C in
 * a terminal reaches the parent alone and children are stopped in order; and it never outlives its parent.
 */
export class Child {
  readonly name: string;
  readonly logPath: string;
  /** Resolves when the process is gone and its output read; never rejects. */
  readonly exited: Promise<ChildExit>;
  readonly #process: ChildProcess;
  readonly #log: WriteStream;
  readonly #lines: string[] = [];
  readonly #watchers = new Set<(line: string) => void>();
  #exit: ChildExit | undefined;

  private constructor(options: ChildOptions) {
    this.name = options.name;
    this.logPath = options.logPath;
    this.#log = createWriteStream(options.logPath);
    this.#process = spawn(process.execPath, ["--import", exitWithParentUrl, ...options.args], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      detached: true,
    });
    this.#read(this.#process.stdout!);
    this.#read(this.#process.stderr!);
    this.exited = new Promise((resolve) => {
      const settle = (exit: ChildExit) => {
        this.#exit = exit;
        this.#log.end();
        resolve(exit);
      };
      this.#process.once("close", (code, signal) => settle({ code, signal }));
      this.#process.once("error", () => settle({ code: null, signal: null }));
    });
  }

  static start(options: ChildOptions): Child {
    return new Child(options);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Undefined while it runs. */
  get exit(): ChildExit | undefined {
    return this.#exit;
  }

  /** The last lines of its output. */
  recentLines(count = 10): readonly string[] {
    return this.#lines.slice(-count);
  }

  /**
   * Waits for a JSON log line, one of the past included, of which `pick` makes something. Throws with the child's last
   * lines when the time is over or the child ends before.
   */
  async logged<T>(what: string, pick: (record: LogRecord) => T | undefined, timeoutMs = 15_000): Promise<T> {
    const read = (line: string): T | undefined => {
      const record = parseRecord(line);
      return record && pick(record);
    };
    for (const line of this.#lines) {
      const found = read(line);
      if (found !== undefined) return found;
    }
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        this.#watchers.delete(watch);
        settle();
      };
      const watch = (line: string) => {
        const found = read(line);
        if (found !== undefined) finish(() => resolve(found));
      };
      const fail = (why: string) => finish(() => reject(this.#failure(`${why}, before it logged ${what}`)));
      const timer = setTimeout(() => fail(`${timeoutMs} ms passed`), timeoutMs);
      this.#watchers.add(watch);
      void this.exited.then(({ code, signal }) => fail(`it ended (${signal ?? `exit ${code}`})`));
    });
  }

  /** Sends a signal; nothing happens when the process is gone. */
  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** SIGTERM, and SIGKILL where that does not help in five seconds. Resolves when the process is gone. */
  async stop(): Promise<ChildExit> {
    this.kill("SIGTERM");
    const timer = setTimeout(() => this.kill("SIGKILL"), STOP_GRACE_MS);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }

  #failure(why: string): Error {
    const lines = this.recentLines().map((line) => `  | ${line}`);
    return new Error(
      [`${this.name}: ${why}. Its log is ${this.logPath}; the end of it:`, ...lines].join("\n"),
    );
  }

  #read(output: Readable): void {
    createInterface({ input: output }).on("line", (line) => {
      if (!this.#log.writableEnded) this.#log.write(`${line}\n`);
      this.#lines.push(line);
      if (this.#lines.length > KEPT_LINES) this.#lines.shift();
      for (const watch of this.#watchers) watch(line);
    });
  }
}

function parseRecord(line: string): LogRecord | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as LogRecord;
  } catch {
    return undefined;
  }
}
