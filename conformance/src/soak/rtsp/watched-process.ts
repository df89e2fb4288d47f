// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const MS_PER_MINUTE = 60_000;
const KIB_PER_MIB = 1024;

/** Memory of a process over time, read from /proc. */
export class WatchedProcess {
  readonly #pid: number;
  readonly #samples: { readonly atMs: number; readonly mib: number }[] = [];

  constructor(pid: number) {
    this.#pid = pid;
  }

  /** Resident memory now, in MiB; kept for `slope` and `most`. */
  sample(): number {
    const status = readFileSync(`/proc/${this.#pid}/status`, "utf8");
    const mib = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / KIB_PER_MIB;
    this.#samples.push({ atMs: performance.now(), mib });
    return mib;
  }

  /** By how many MiB a minute memory grew in the second half of the time: the line that fits best. */
  slope(): number {
    const half = this.#samples.slice(this.#samples.length >> 1);
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const atMs = mean(half.map((sample) => sample.atMs));
    const mib = mean(half.map((sample) => sample.mib));
    const products = half.map((sample) => (sample.atMs - atMs) * (sample.mib - mib));
    const squares = half.map((sample) => (sample.atMs - atMs) ** 2);
    return (mean(products) / mean(squares)) * MS_PER_MINUTE;
  }

  /** The most memory in a part of the time, whose ends are from 0 to 1. */
  most(from: number, to: number): number {
    const { length } = this.#samples;
    return Math.max(...this.#samples.slice(Math.floor(from * length), to * length).map(({ mib }) => mib));
  }

  /** The UDP ports that the process has open. */
  udpPorts(): readonly number[] {
    const folder = `/proc/${this.#pid}/fd`;
    const own = new Set(readdirSync(folder).map((fd) => linkOf(`${folder}/${fd}`)));
    const [, ...lines] = readFileSync(`/proc/${this.#pid}/net/udp`, "utf8").trim().split("\n");
    return lines.flatMap((line) => {
      const fields = line.trim().split(/\s+/);
      const port = Number.parseInt(fields[1]?.split(":")[1] ?? "", 16);
      return own.has(`socket:[${fields[9]}]`) ? [port] : [];
    });
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // It was closed between the listing and the look.
    return "";
  }
}
