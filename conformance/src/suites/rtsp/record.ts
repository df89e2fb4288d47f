// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { until } from "@msm/deploy";
import type { Peer } from "../../runner/peer.ts";
import type { Scenario, ScenarioContext } from "../../runner/suite.ts";
import { PLAYERS, type PlayerName, type Transport } from "./players.ts";
import { type RtspMesh, startRtspMesh, type Upstream } from "./rtsp-mesh.ts";
import { makeFile, startGstreamerServer } from "./sources.ts";

const FRAMES_PER_SECOND = 25;
const SECONDS = 5;
const PICTURES = FRAMES_PER_SECOND * SECONDS;
/** The server drops what it has not written when its client is gone: so much more is sent, and not asked for. */
const MORE_SECONDS = 3;

/** One recording: who sends, how, and by which way the proxy hands it on. */
interface Recording {
  readonly name: string;
  readonly sender: PlayerName;
  readonly transport: Transport;
  readonly upstream: Upstream | undefined;
}

/** ANNOUNCE and RECORD (RFC 2326 sections 10.3 and 10.11) to a server of others. */
export const record: Scenario = {
  title: "ffmpeg and GStreamer record through the proxy to GStreamer's server, and it plays back",
  timeoutMs: 90_000,
  run: async (context) => {
    const file = await makeFile(context, {
      seconds: SECONDS + MORE_SECONDS,
      framesPerSecond: FRAMES_PER_SECOND,
    });
    const recordings = PLAYERS.flatMap((sender) =>
      (["udp", "tcp"] as const).flatMap((transport) =>
        [undefined, "UDP" as const, "Interleaved" as const].map((upstream): Recording => {
          const name = `${sender}-${transport}-${upstream ?? "direct"}`;
          return { name, sender, transport, upstream };
        }),
      ),
    );
    const servers = await Promise.all(
      recordings.map(({ name }) =>
        startGstreamerServer(context, {
          name: `server-${name}`,
          file,
          streams: ["x"],
          record: `${name}.mkv`,
        }),
      ),
    );
    const rtsp = await startRtspMesh(
      context,
      recordings.map(({ name }, index) => ({ name: name.toLowerCase(), ports: [servers[index]!.port] })),
    );
    const counts = await Promise.all(
      recordings.map(async (recording, index) => {
        const { name, upstream } = recording;
        const { port, peer, requests, closed } = servers[index]!;
        const url =
          upstream === undefined
            ? `rtsp://127.0.0.1:${port}/record`
            : rtsp.url(upstream, name.toLowerCase(), "record");
        await sent(send(context, recording, url, file));
        await until(`the server knew the end of ${name}`, () => requests("TEARDOWN") + closed() > 0);
        await peer.stop();
        return [name, await pictures(context, name)] as const;
      }),
    );
    const shown = counts.map(([name, count]) => `${name} ${count}`);
    assert.deepEqual(
      shown.filter((_, index) => counts[index]![1] < PICTURES),
      [],
      `recordings of fewer than ${PICTURES} pictures`,
    );
    assert.equal(await lostPackets(rtsp), 0, "packets that the proxy missed");
    context.note(shown.join(", "));
  },
};

function send(
  context: ScenarioContext,
  { name, sender, transport }: Recording,
  url: string,
  file: string,
): Peer {
  const common = { name: `send-${name}`, timeoutMs: 40_000, folder: context.folder };
  if (sender === "ffmpeg") {
    const args = ["-nostdin", "-loglevel", "error", "-re", "-i", file, "-map", "0:v", "-c", "copy"];
    args.push("-f", "rtsp", "-rtsp_transport", transport, url);
    return context.startPeer({ ...common, command: "ffmpeg", args });
  }
  const buffers = PICTURES + FRAMES_PER_SECOND * MORE_SECONDS;
  const format = `video/x-raw,width=320,height=240,framerate=${FRAMES_PER_SECOND}/1`;
  const source = `videotestsrc num-buffers=${buffers} is-live=true ! ${format}`;
  const sink = `rtspclientsink location=${url} protocols=${transport}`;
  const args = ["-q", ...`${source} ! openh264enc gop-size=25 ! h264parse ! ${sink}`.split(" ")];
  return context.startPeer({ ...common, command: "gst-launch-1.0", args });
}

/** Packets missing in what senders sent, of all streams that there were. */
async function lostPackets({ mesh }: RtspMesh): Promise<number> {
  const lines = (await mesh.admin.text("/stats/prometheus")).split("\n");
  return lines
    .filter((line) => line.startsWith("msm_rtp_packets_lost_total{"))
    .reduce((total, line) => total + Number(line.split(" ").at(-1)), 0);
}

/** Waits for a sender's end. GStreamer's may want to pause when the server has closed already, directly as well. */
async function sent(peer: Peer): Promise<void> {
  const { stderr } = await peer.ended;
  if (!/pause \(\)|Received end-of-file/.test(stderr)) await peer.succeeded();
}

/** How many pictures ffmpeg decodes from a recording */
async function pictures(context: ScenarioContext, name: string): Promise<number> {
  const args = ["-nostdin", "-loglevel", "error", "-i", `${name}.mkv`, "-f", "framecrc", "-"];
  return until(`${name} was written`, async () => {
    const options = {
      name: `count-${name}`,
      command: "ffmpeg",
      args,
      timeoutMs: 20_000,
      folder: context.folder,
    };
    const { stdout } = await context.startPeer(options).succeeded();
    return stdout.split("\n").filter((line) => line.startsWith("0,")).length;
  });
}
