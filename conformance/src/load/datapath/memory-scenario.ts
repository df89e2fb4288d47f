// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { FigureTable } from "../bench.ts";
import { type Load, offerLoad } from "../offer-load.ts";
import { type Relay, withRelay } from "../running-relay.ts";
import type { Scenario, ScenarioContext } from "./scenario.ts";

const FIGURES = ["memory of the process, bytes a session", "sockets in the kernel, bytes a session"];
/** What a socket in an epoll set is made of, by the names of /proc/slabinfo. */
const SOCKET_OBJECTS = ["UDP", "sock_inode_cache", "filp", "eventpoll_epi", "eventpoll_pwq"];
/** The generator's own sockets are gone by then, and the sessions are not idle yet. */
const SETTLE_MS = 2_000;

/** What a scenario of memory per session is about. */
export interface MemoryScenarioOptions {
  readonly title: string;
  /** Each of its flows is a session. */
  readonly load: Load;
  readonly relays: (context: ScenarioContext) => readonly Relay[];
  readonly missing?: () => string | undefined;
}

/** A scenario of what a session takes, in the process and as its socket. */
export function memoryScenario({ title, load, relays, missing }: MemoryScenarioOptions): Scenario {
  return {
    title,
    missing: () => (canReadSlabs() ? missing?.() : "it needs to read /proc/slabinfo, as root"),
    async run(context) {
      const all = relays(context);
      const programs = all.map(({ name }) => ({ name, rounds: [] as (readonly number[])[] }));
      for (let round = 0; round < context.rounds; round++)
        for (const [index, relay] of all.entries())
          programs[index]!.rounds.push(await measure(relay, load, context));
      return { scenario: title, figures: FIGURES, programs } satisfies FigureTable;
    },
  };
}

function measure(relay: Relay, load: Load, { site, tell }: ScenarioContext): Promise<readonly number[]> {
  return withRelay(relay, async ({ pid, ports }) => {
    // So that what the first sessions need once is there.
    await offerLoad({ ...load, flows: 100, seconds: 1 }, site, ports);
    await sleep(SETTLE_MS);
    const [process, sockets] = [residentBytes(pid), socketBytes()];
    const { sent, received } = await offerLoad(load, site, ports);
    if (received < sent * 0.99)
      throw new Error(`only ${received} of ${sent} arrived: not all have a session`);
    await sleep(SETTLE_MS);
    const figures = [residentBytes(pid) - process, socketBytes() - sockets].map(
      (bytes) => bytes / load.flows,
    );
    tell(`${relay.name}: ${figures.map(Math.round).join(" and ")} bytes a session`);
    return figures;
  });
}

function residentBytes(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/^VmRSS:\s+(\d+)/m)?.[1]) * 1024;
}

function canReadSlabs(): boolean {
  try {
    return socketBytes() > 0;
  } catch {
    return false;
  }
}

function socketBytes(): number {
  let bytes = 0;
  for (const line of readFileSync("/proc/slabinfo", "utf8").split("\n")) {
    const [name, active, , size] = line.split(/\s+/);
    if (name !== undefined && SOCKET_OBJECTS.includes(name)) bytes += Number(active) * Number(size);
  }
  return bytes;
}
