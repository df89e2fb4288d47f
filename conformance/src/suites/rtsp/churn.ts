// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { RtspViewer, until } from "@msm/deploy";
import type { Scenario } from "../../runner/suite.ts";
import { type RtspMesh, startRtspMesh } from "./rtsp-mesh.ts";
import { makeFile, startGstreamerServer } from "./sources.ts";

const STEADY_READERS = 100;
/** So many of these are there at once, for as long as a rate of 50 joins a second asks. */
const CHANGING_READERS = 100;
const JOINS_PER_SECOND = 50;
const SECONDS = 60;

/** What happened to the readers. */
interface Tally {
  joined: number;
  lost: number;
  /** Readers that got nothing at all. */
  empty: number;
  /** What readers were told that could not join. */
  readonly refusals: string[];
}

/** Readers come and go, by UDP and inside their connections in turn, some politely and some with a reset. */
export const churn: Scenario = {
  title: `200 readers of one stream, ${JOINS_PER_SECOND} joins and leaves a second: one upstream session, nothing lost`,
  timeoutMs: 170_000,
  run: async (context) => {
    const file = await makeFile(context, { seconds: SECONDS + 90, framesPerSecond: 10 });
    const server = await startGstreamerServer(context, { name: "server", file, streams: ["a"] });
    const rtsp = await startRtspMesh(context, [{ name: "camera", ports: [server.port] }]);
    const url = rtsp.url("UDP", "camera", "a");
    const steady: RtspViewer[] = [];
    context.defer(() => Promise.all(steady.map((viewer) => viewer.stop())));
    for (let index = 0; index < STEADY_READERS; index++) {
      steady.push(await RtspViewer.start({ url, transport: index % 2 === 0 ? "udp" : "tcp" }));
    }
    const tally: Tally = { joined: 0, lost: 0, empty: 0, refusals: [] };
    await comeAndGo(url, tally);
    for (const viewer of steady) count(viewer, tally);
    assert.deepEqual(tally, { ...tally, lost: 0, empty: 0, refusals: [] });
    assert.equal(server.requests("PLAY"), 1, "sessions at the source");
    await Promise.all(steady.map((viewer) => viewer.stop()));
    await nothingIsLeft(rtsp);
    const packets = steady
      .flatMap(({ streams }) => streams)
      .reduce((total, { received }) => total + received, 0);
    context.note(`${tally.joined} joins; ${STEADY_READERS} steady readers got ${packets} packets, none lost`);
  },
};

async function comeAndGo(url: string, tally: Tally): Promise<void> {
  const staying = CHANGING_READERS / JOINS_PER_SECOND;
  const leaving: Promise<void>[] = [];
  const endsAt = performance.now() + SECONDS * 1000;
  while (performance.now() < endsAt) {
    leaving.push(
      visit(url, tally, staying * 1000).catch((error: Error) => void tally.refusals.push(error.message)),
    );
    await delay(1000 / JOINS_PER_SECOND);
  }
  await Promise.all(leaving);
}

async function visit(url: string, tally: Tally, stayMs: number): Promise<void> {
  const number = tally.joined++;
  const viewer = await RtspViewer.start({ url, transport: number % 2 === 0 ? "udp" : "tcp" });
  await delay(stayMs);
  // On a busy machine it may be longer until something comes; what never does is counted below.
  await until("something came", () => viewer.streams.length > 0, 20_000).catch(() => {});
  count(viewer, tally);
  if (number % 4 === 3) viewer.abort();
  else await viewer.stop();
}

function count({ streams }: RtspViewer, tally: Tally): void {
  if (streams.length === 0) tally.empty++;
  for (const { lost } of streams) tally.lost += lost;
}

/** Every leg and port is given back once nobody reads. */
async function nothingIsLeft({ mesh }: RtspMesh): Promise<void> {
  await until("every flow was closed", async () => (await mesh.admin.flows()).length === 0, 20_000);
}
