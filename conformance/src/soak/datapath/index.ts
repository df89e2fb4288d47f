// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { freeUdpPorts, until } from "@msm/deploy";
import { EchoEndpoint } from "../../traffic/echo-endpoint.ts";
import { FlowProxy } from "../../traffic/flow-proxy.ts";
import type { Soak, SoakOptions } from "../soak.ts";
import { FlowChurn } from "./flow-churn.ts";
import { MemorySlope } from "./memory-slope.ts";
import { Outages } from "./outages.ts";
import { ReceiverChurn } from "./receiver-churn.ts";
import { ReloadingServer } from "./reloading-server.ts";
import { ShortSessions } from "./short-sessions.ts";
import { SteadyFlows } from "./steady-flows.ts";

const WORKERS = 2;
const DEFAULT_MS = 20 * 60_000;
const RELOAD_MS = 1_000;
const SAMPLE_MS = 5_000;
const KILL_MS = 60_000;
/** In a short run a worker dies earlier, and at least once. */
const KILLS_AT_LEAST = 2;
const SESSIONS_PER_SECOND = 850;
const FLOWS_PER_SECOND = 500;
const RECEIVERS_PER_SECOND = 1_000;
/** What the allocator may keep in all, however long it runs. */
const MAX_GROWTH_MIB = 64;
/** So many datagrams at every viewer, and a flow is seen to run again. */
const RESUMED_DATAGRAMS = 20;

/** Everything that a datapath does, all the time, beside flows that must not notice. */
export const soak: Soak = {
  title:
    "20 minutes of receivers, flows and sessions that come and go, reloads and dead workers: no leak, no crossed datagram, no loss but while a worker is dead",
  run: async ({ deadlineMs, tell }) => {
    const endMs = Math.min(deadlineMs, performance.now() + DEFAULT_MS);
    const closers: (() => unknown)[] = [];
    try {
      await run({ deadlineMs: endMs, tell }, closers);
    } finally {
      for (const close of closers.reverse()) await close();
    }
  },
};

async function run({ deadlineMs, tell }: SoakOptions, closers: (() => unknown)[]): Promise<void> {
  const echo = await EchoEndpoint.start("127.0.0.1", 1);
  closers.push(() => echo.close());
  const [port] = (await freeUdpPorts(1)) as [number];
  const server = await ReloadingServer.start(port, echo.port);
  closers.push(() => server.close());
  const proxy = await FlowProxy.start({ concurrency: WORKERS, more: server.bootstrap });
  closers.push(() => proxy.close());
  await until("the listener was open", () => proxy.proxy.listeners().length === 1);

  const outages = new Outages();
  const steady = await SteadyFlows.start(proxy);
  const receivers = await ReceiverChurn.start(proxy, RECEIVERS_PER_SECOND);
  const flows = new FlowChurn(proxy, FLOWS_PER_SECOND);
  const sessions = new ShortSessions(port, SESSIONS_PER_SECOND, outages);
  const reloads = setInterval(() => server.reload(), RELOAD_MS);
  closers.push(() => {
    clearInterval(reloads);
    for (const each of [sessions, flows, receivers, steady]) each.stop();
  });

  const memory = new MemorySlope();
  const killMs = Math.min(KILL_MS, (deadlineMs - performance.now()) / (KILLS_AT_LEAST + 1));
  let nextKillMs = performance.now() + killMs;
  let nextSampleMs = performance.now();
  let lostInOutages = 0;
  let longestGapMs = 0;
  while (performance.now() < deadlineMs) {
    if (performance.now() >= nextKillMs) {
      const found = await killWorker(proxy, steady, outages);
      lostInOutages += found.lost;
      longestGapMs = Math.max(longestGapMs, found.gapMs);
      nextKillMs += killMs;
    }
    if (performance.now() >= nextSampleMs) {
      nextSampleMs += SAMPLE_MS;
      const { received, missing } = steady.counts();
      tell(
        `${Math.round(memory.sample())} MiB; ${received} copies, ${missing - lostInOutages} lost; ${sessions.finished} sessions, ` +
          `${sessions.lost} lost; ${flows.closed} flows; ${receivers.replaced} receivers; ${server.reloads} reloads; ${outages.count} kills`,
      );
    }
    await delay(20);
  }
  sessions.stop();
  flows.stop();
  const { mibPerMinute, growthMib } = memory.slope();
  const { missing, crossed, repeated, breaks } = steady.counts();
  tell(
    `memory ${mibPerMinute.toFixed(2)} MiB per minute; in ${outages.count} kills ${lostInOutages} copies and ${sessions.lostInOutages} ` +
      `sessions lost, ${longestGapMs.toFixed(0)} ms without media at most`,
  );
  assert.equal(flows.failure ?? receivers.failure, undefined, "a flow was refused");
  assert.equal(crossed + sessions.crossed + receivers.viewer.crossed, 0, "datagrams came to others");
  assert.deepEqual({ repeated, breaks }, { repeated: 0, breaks: 0 }, "a stream was not continuous");
  assert.equal(missing - lostInOutages, 0, "copies were lost while every worker lived");
  assert.equal(sessions.lost, 0, "sessions had no answer while every worker lived");
  assert.ok(growthMib < MAX_GROWTH_MIB, `memory grew by ${growthMib.toFixed(0)} MiB`);
}

/** Lets a worker die, the next one each time; returns what its flows lost until they ran again. */
async function killWorker(proxy: FlowProxy, steady: SteadyFlows, outages: Outages) {
  const before = steady.counts().missing;
  const worker = outages.count % WORKERS;
  const restarts = await proxy.restarts();
  for (const viewer of steady.viewers) viewer.longestGapMs = 0;
  outages.begin();
  await proxy.killWorker(worker);
  await until("the worker was rebuilt", async () => (await proxy.restarts()) > restarts, 20_000);
  await steady.haveGoneOn(RESUMED_DATAGRAMS);
  outages.end();
  const gapMs = Math.max(...steady.viewers.map(({ longestGapMs }) => longestGapMs));
  return { lost: steady.counts().missing - before, gapMs };
}
