// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { type Mesh, RtspCamera, RtspViewer, startMesh, until } from "@msm/deploy";
import { type RtspMesh, startRtspMesh } from "../../suites/rtsp/rtsp-mesh.ts";
import type { Soak, SoakOptions } from "../soak.ts";
import type { Target } from "./attack.ts";
import { connectionAttacks } from "./connection-attacks.ts";
import { datagramAttack } from "./datagram-attack.ts";
import { WatchedProcess } from "./watched-process.ts";

const DEFAULT_MS = 10 * 60_000;
const SAMPLE_MS = 2_000;
/** Samples between two lines of news. */
const TELL_EVERY = 5;
/** The listener's own idle time-out, and some more. */
const QUIET_WITHIN_MS = 90_000;
/** How far memory may go up and down between the second quarter of the time and the last. */
const MAX_GROWTH_MIB = 96;

/** Clients at their worst, all at once, beside two that play. */
export const soak: Soak = {
  title:
    "garbage, half requests, 1 MiB headers, slow-loris, 10,000 connections and random datagrams (ten minutes): bounded memory, and a stream that plays loses nothing",
  run: async ({ deadlineMs, tell }) => {
    const camera = await RtspCamera.start();
    let mesh: Mesh | undefined;
    const context = {
      startMesh: async (options: Parameters<typeof startMesh>[0]) => (mesh = await startMesh(options)),
    };
    try {
      const rtsp = await startRtspMesh(context, [{ name: "camera", ports: [camera.port] }]);
      await attack(rtsp, { deadlineMs: Math.min(deadlineMs, performance.now() + DEFAULT_MS), tell });
    } finally {
      await mesh?.stop();
      await camera.stop();
    }
    if (mesh !== undefined) rmSync(mesh.folder, { recursive: true, force: true });
  },
};

async function attack(rtsp: RtspMesh, { deadlineMs, tell }: SoakOptions): Promise<void> {
  const url = rtsp.url("UDP", "camera", "test");
  const viewers = [await RtspViewer.start({ url }), await RtspViewer.start({ url, transport: "tcp" })];
  try {
    const proxy = new WatchedProcess(rtsp.mesh.proxy.pid!);
    const { hostname, port } = new URL(url);
    const isOver = () => performance.now() > deadlineMs;
    const target: Target = {
      ...{ host: hostname, port: Number(port), url, isOver },
      udpPorts: () => proxy.udpPorts(),
    };
    const attacks = [...connectionAttacks, datagramAttack].map(async ({ name, run }) => {
      const count = await run(target);
      tell(`${name}: ${count}`);
    });
    await watch(proxy, viewers, isOver, tell);
    await Promise.all(attacks);
    await isWell(rtsp, viewers);
    tell(`memory: ${proxy.slope().toFixed(1)} MiB a minute in the second half`);
    const [early, late] = [proxy.most(0.25, 0.5), proxy.most(0.75, 1)];
    assert.ok(late < early + MAX_GROWTH_MIB, `memory grew from ${early} to ${late} MiB`);
  } finally {
    await Promise.all(viewers.map((viewer) => viewer.stop()));
  }
}

async function watch(
  proxy: WatchedProcess,
  viewers: readonly RtspViewer[],
  isOver: () => boolean,
  tell: (line: string) => void,
): Promise<void> {
  for (let sample = 0; !isOver(); sample++) {
    const mib = proxy.sample().toFixed(0);
    if (sample % TELL_EVERY === 0)
      tell(`${received(viewers)} packets played, ${lost(viewers)} lost, ${mib} MiB`);
    await delay(SAMPLE_MS);
  }
}

/** Nothing broke, nothing is left of the attackers, and who comes now is served. */
async function isWell({ mesh, url }: RtspMesh, viewers: readonly RtspViewer[]): Promise<void> {
  const before = received(viewers);
  await until("the streams went on", () => received(viewers) > before + 100);
  assert.equal(lost(viewers), 0, "lost packets of the viewers that played");
  assert.equal(await metric(mesh, "msm_filter_failures_total"), 0, "failures of filters");
  const open = () => metric(mesh, "msm_signalling_connections_active");
  await until(
    "the attackers' connections were gone",
    async () => (await open()) === viewers.length,
    QUIET_WITHIN_MS,
  );
  const late = await RtspViewer.start({ url: url("UDP", "camera", "test") });
  await until("a new reader got packets", () => received([late]) > 100);
  await late.stop();
}

function received(viewers: readonly RtspViewer[]): number {
  return viewers.flatMap(({ streams }) => streams).reduce((sum, stream) => sum + stream.received, 0);
}

function lost(viewers: readonly RtspViewer[]): number {
  return viewers
    .flatMap(({ streams }) => streams)
    .reduce((sum, stream) => sum + stream.lost + stream.frameGaps, 0);
}

/** The sum of a statistic of the proxy over all of its labels. */
async function metric({ admin }: Mesh, name: string): Promise<number> {
  const text = await admin.text(`/stats/prometheus?filter=${name}`);
  const values = text
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return values.reduce((sum, line) => sum + Number(line.split(" ").pop()), 0);
}
