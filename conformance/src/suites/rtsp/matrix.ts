// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { Scenario, ScenarioContext } from "../../runner/suite.ts";
import { PLAYERS, type Played, type PlayerName, play, type Transport } from "./players.ts";
import { type RtspMesh, startRtspMesh, type Upstream } from "./rtsp-mesh.ts";
import { makeFile, startCamera, startGstreamerServer } from "./sources.ts";

const SECONDS = 10;
const PICTURES = 25 * SECONDS;
/** Decoded bytes of one packet of sound. */
const SOUND_BYTES = 320;
const SOURCES = ["camera", "gstreamer"] as const;
const TRANSPORTS = ["udp", "tcp"] as const;
const UPSTREAMS: readonly Upstream[] = ["UDP", "Interleaved"];

/** One cell of the matrix. */
interface Cell {
  readonly source: (typeof SOURCES)[number];
  readonly player: PlayerName;
  readonly transport: Transport;
  /** Undefined where the player asks the source itself. */
  readonly upstream: Upstream | undefined;
  /** A stream of its own, so that every play begins at the first picture. */
  readonly stream: string;
}

/** Every source with every player by every transport to the player: directly, and by both ways to the source. */
export const matrix: Scenario = {
  title:
    "ffmpeg and GStreamer, by UDP and TCP on either side, decode through the proxy what they do directly",
  timeoutMs: 90_000,
  run: async (context) => {
    const cells = SOURCES.flatMap((source) =>
      PLAYERS.flatMap((player) =>
        TRANSPORTS.flatMap((transport) =>
          [undefined, ...UPSTREAMS].map((upstream): Cell => {
            const stream = `${player}-${transport}-${upstream ?? "direct"}`;
            return { source, player, transport, upstream, stream };
          }),
        ),
      ),
    );
    const { rtsp, ports } = await startAll(context, cells);
    const results: Played[] = [];
    // One source after the other: two dozen decoders at once leave two cores no time for anything else.
    for (const name of SOURCES) {
      const plays = cells.filter(({ source }) => source === name);
      results.push(
        ...(await Promise.all(plays.map((cell) => playCell(context, cell, urlOf(cell, rtsp, ports))))),
      );
    }
    for (const [index, cell] of cells.entries()) {
      const direct = cells.findIndex(
        (other) =>
          other.source === cell.source &&
          other.player === cell.player &&
          other.transport === cell.transport &&
          other.upstream === undefined,
      );
      compare(cell, results[index]!, results[direct]!);
    }
    await noneLost(rtsp);
    context.note(`${cells.length} plays of ${SECONDS} s, ${PICTURES} pictures each`);
  },
};

async function startAll(context: ScenarioContext, cells: readonly Cell[]) {
  const streams = [...new Set(cells.map(({ stream }) => stream))];
  // Longer than what is played: a player asks to the end.
  const file = await makeFile(context, { seconds: SECONDS + 8, framesPerSecond: 25 });
  const [camera, gstreamer] = await Promise.all([
    startCamera(context, "camera", streams),
    startGstreamerServer(context, { name: "gstreamer", file, streams }),
  ]);
  const ports = { camera: camera.port, gstreamer: gstreamer.port };
  const rtsp = await startRtspMesh(
    context,
    SOURCES.map((name) => ({ name, ports: [ports[name]] })),
  );
  return { rtsp, ports };
}

function urlOf(
  { source, upstream, stream }: Cell,
  rtsp: RtspMesh,
  ports: Readonly<Record<Cell["source"], number>>,
): string {
  if (upstream === undefined) return `rtsp://127.0.0.1:${ports[source]}/${stream}`;
  return rtsp.url(upstream, source, stream);
}

function playCell(context: ScenarioContext, cell: Cell, url: string): Promise<Played> {
  const { source, stream, player, transport } = cell;
  return play(context, { player, name: `${source}-${stream}`, url, transport, seconds: SECONDS });
}

function compare({ source, stream }: Cell, played: Played, direct: Played): void {
  const what = `${source} to ${stream}`;
  assert.equal(played.code, 0, `${what}: exit code; ${played.complaints.join("; ")}`);
  assert.equal(played.pictures, PICTURES, `${what}: pictures decoded`);
  // ffmpeg rounds times of RTP to those of its output, and by that cuts the last sound here or there.
  const difference = Math.abs(played.soundBytes - direct.soundBytes);
  assert.ok(
    difference <= SOUND_BYTES,
    `${what}: ${played.soundBytes} bytes of sound, ${direct.soundBytes} directly`,
  );
  const own = played.complaints.filter((complaint) => !direct.complaints.includes(complaint));
  assert.deepEqual(own, [], `${what}: what the player complained about`);
}

async function noneLost({ mesh }: RtspMesh): Promise<void> {
  const lost = (await mesh.admin.streams()).filter((stream) => stream.lost !== 0);
  assert.deepEqual(lost, [], "streams of which the proxy missed packets");
}
