// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { FigureTable } from "../../bench.ts";
import { type Load, offerLoad } from "../../offer-load.ts";
import { type Relay, withRelay } from "../../running-relay.ts";
import { audio } from "../loads.ts";
import { whyTooFewFiles } from "../open-files.ts";
import { cses, proxy } from "../relays.ts";
import type { Scenario, ScenarioContext } from "../scenario.ts";

/** Below what one process may open without asking, and the ephemeral ports that Linux has unless told otherwise. */
const SESSIONS = 15_000;
const load: Load = { ...audio, flows: SESSIONS, firstPort: 10_000, seconds: 3 };
/** Some, so that what the first sessions need once is there. */
const few: Load = { ...load, flows: 100, seconds: 1 };
const FIGURES = ["memory of the process, bytes a session", "sockets in the kernel, bytes a session"];
/** What a socket in an epoll set is made of, by the names of /proc/slabinfo. */
const SOCKET_OBJECTS = ["UDP", "sock_inode_cache", "filp", "eventpoll_epi", "eventpoll_pwq"];
/** The generator's own sockets are gone by then, and the sessions are not idle yet. */
const SETTLE_MS = 2_000;

/** What a session takes, in the process and as its socket. */
export const scenario: Scenario = {
  title: `${SESSIONS} sessions with a socket each: what one takes`,
  missing: () => (canReadSlabs() ? whyTooFewFiles(SESSIONS) : "it needs to read /proc/slabinfo, as root"),
  async run(context) {
    const relays = [cses(context), proxy(context), proxy(context, { name: "proxy, no filter", filters: [] })];
    const programs = relays.map(({ name }) => ({ name, rounds: [] as (readonly number[])[] }));
    for (let round = 0; round < context.rounds; round++)
      for (const [index, relay] of relays.entries())
        programs[index]!.rounds.push(await measure(relay, context));
    return { scenario: this.title, figures: FIGURES, programs } satisfies FigureTable;
  },
};

function measure(relay: Relay, { site, tell }: ScenarioContext): Promise<readonly number[]> {
  return withRelay(relay, async ({ pid, ports }) => {
    await offerLoad(few, site, ports);
    await sleep(SETTLE_MS);
    const [process, sockets] = [residentBytes(pid), socketBytes()];
    const { sent, received } = await offerLoad(load, site, ports);
    if (received < sent * 0.99)
      throw new Error(`only ${received} of ${sent} arrived: not all have a session`);
    await sleep(SETTLE_MS);
    const figures = [residentBytes(pid) - process, socketBytes() - sockets].map((bytes) => bytes / SESSIONS);
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
