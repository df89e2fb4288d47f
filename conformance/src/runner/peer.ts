// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** A program of others. */
export interface PeerOptions {
  /** Its log is `<name>.log` in the scenario's folder. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** It is killed after so long. */
  readonly timeoutMs: number;
  readonly folder: string;
  /** Whether signals go to all that it starts, too, as those of a terminal do: npm does not hand them on. */
  readonly isGroup?: boolean;
}

/** How a peer ended, and what it wrote. */
export interface PeerResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const KILL_GRACE_MS = 2000;

/** A running program whose output is kept. */
export class Peer {
  /** Resolves when it is gone; never rejects. A program that could not be started has code null. */
  readonly ended: Promise<PeerResult>;
  readonly #options: PeerOptions;
  readonly #process: ChildProcess;
  #stdout = "";
  #stderr = "";
  #isOver = false;

  constructor(options: PeerOptions) {
    this.#options = options;
    this.#process = spawn(options.command, options.args, {
      cwd: options.folder,
      detached: options.isGroup ?? false,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process.stdout!.on("data", (text) => {
      this.#stdout += text;
    });
    this.#process.stderr!.on("data", (text) => {
      this.#stderr += text;
    });
    const timer = setTimeout(() => {
      this.#stderr += `\n[ended by the runner after ${options.timeoutMs} ms]\n`;
      void this.stop();
    }, options.timeoutMs);
    this.ended = new Promise((resolve) => {
      const settle = (code: number | null) => {
        clearTimeout(timer);
        this.#isOver = true;
        this.#writeLog(code);
        resolve({ code, stdout: this.#stdout, stderr: this.#stderr });
      };
      this.#process.once("close", settle);
      this.#process.once("error", (error) => {
        this.#stderr += error.message;
        settle(null);
      });
    });
  }

  /** What it wrote to standard output so far. */
  get stdout(): string {
    return this.#stdout;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Waits for its end and throws, with its last lines, unless its exit code is 0. */
  async succeeded(): Promise<PeerResult> {
    const result = await this.ended;
    if (result.code === 0) return result;
    const tail = result.stderr.trimEnd().split("\n").slice(-8).join("\n  | ");
    throw new Error(`${this.#options.name} ended with ${result.code ?? "a signal"}:\n  | ${tail}`);
  }

  /** SIGKILL: it dies as by a defect. */
  kill(): void {
    this.#signal("SIGKILL");
  }

  /** SIGINT, and all the time that it has to finish. */
  interrupt(): Promise<PeerResult> {
    this.#signal("SIGINT");
    return this.ended;
  }

  /** SIGINT, which media programs take as the wish to finish; SIGKILL when that does not help. */
  async stop(): Promise<PeerResult> {
    this.#signal("SIGINT");
    const timer = setTimeout(() => this.#signal("SIGKILL"), KILL_GRACE_MS);
    const result = await this.ended;
    clearTimeout(timer);
    return result;
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#process;
    if (!this.#options.isGroup || pid === undefined) {
      this.#process.kill(signal);
      return;
    }
    try {
      process.kill(-pid, signal);
    } catch {
      // Nobody of the group is left.
    }
  }

  #writeLog(code: number | null): void {
    const { command, args, folder, name } = this.#options;
    const text = [`$ ${[command, ...args].join(" ")}`, this.#stdout, this.#stderr, `[exit ${code}]`, ""];
    writeFileSync(join(folder, `${name}.log`), text.join("\n"));
  }
}
