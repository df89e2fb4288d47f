// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";

/** What an xDS server for benches and faults serves. */
export interface Served {
  readonly clusters: number;
  readonly endpointsPerCluster: number;
  /** Whether a change concerns one endpoint of the first cluster, or all of them. */
  readonly changes: "one" | "all";
}

const ANSWER_MS = 60_000;

/**
 * An xDS server in a process of its own, told what to do by lines on its standard input, each answered with a line:
 * `serve CLUSTERS ENDPOINTS one|all`; `mesh ROUTES ENDPOINTS`, which our own server alone knows; `change N`, which is answered when N clients have acknowledged it; `collect`,
 * which gives memory back to the system.
 */
export class ServerUnderLoad {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  private constructor(child: ChildProcess, answers: AsyncIterator<string>, port: number) {
    this.#child = child;
    this.#answers = answers;
    this.port = port;
  }

  /** Starts it. `command` is followed by the port, and by certificate and key where it is to use TLS. */
  static async start(
    command: readonly string[],
    options: {
      readonly port?: number;
      readonly tls?: { readonly certificate: string; readonly privateKey: string };
    } = {},
  ): Promise<ServerUnderLoad> {
    const { port = 0, tls } = options;
    const files = tls === undefined ? [] : [tls.certificate, tls.privateKey];
    const [program, ...args] = [...command, String(port), ...files] as [string, ...string[]];
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    const answers = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    const first = JSON.parse(await answerOf(answers)) as { readonly port: number };
    return new ServerUnderLoad(child, answers, first.port);
  }

  /** Publishes a configuration. */
  async serve({ clusters, endpointsPerCluster, changes }: Served): Promise<void> {
    await this.#tell(`serve ${clusters} ${endpointsPerCluster} ${changes}`);
  }

  /** Has our server serve a mesh of so many routes, each with so many endpoints, from its resources on. */
  async serveMesh(routes: number, endpointsPerRoute: number): Promise<void> {
    await this.#tell(`mesh ${routes} ${endpointsPerRoute}`);
  }

  /** Changes it; resolves when so many clients acknowledged that. */
  async change(acknowledgements: number): Promise<void> {
    await this.#tell(`change ${acknowledgements}`);
  }

  /** CPU time of all its threads since it started, milliseconds. */
  cpuMs(): number {
    const folder = `/proc/${this.#child.pid}/task`;
    const nanoseconds = readdirSync(folder).map((thread) =>
      Number(readFileSync(`${folder}/${thread}/schedstat`, "utf8").split(" ")[0]),
    );
    return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6;
  }

  /** Resident memory after garbage was collected, bytes. */
  async memoryBytes(): Promise<number> {
    await this.#tell("collect");
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) * 1024;
  }

  /** Kills it, as a crash would; resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill("SIGKILL");
    await once(this.#child, "exit");
  }

  async #tell(line: string): Promise<void> {
    this.#child.stdin!.write(`${line}\n`);
    await answerOf(this.#answers);
  }
}

async function answerOf(answers: AsyncIterator<string>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`the server said nothing for ${ANSWER_MS} ms`)), ANSWER_MS);
  });
  try {
    const { value, done } = await Promise.race([answers.next(), late]);
    if (done) throw new Error("the server ended");
    return value;
  } finally {
    clearTimeout(timer);
  }
}
