// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { until } from "@msm/deploy";
import type { Peer } from "../../runner/peer.ts";
import type { Scenario, ScenarioContext } from "../../runner/suite.ts";
import { PLAYERS, type PlayerName, type Transport } from "./players.ts";
import { startRtspMesh, type Upstream } from "./rtsp-mesh.ts";
import { makeFile, startGstreamerServer } from "./sources.ts";

const SECONDS = 5;
const PICTURES = 25 * SECONDS;
/** The server drops what it has not written when its client is gone; directly that were up to 12 on a busy machine. */
const LAST_PICTURES = 20;

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
    const file = await makeFile(context, { seconds: SECONDS, framesPerSecond: 25 });
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
        await send(context, recording, url, file).succeeded();
        await until(`the server knew the end of ${name}`, () => requests("TEARDOWN") + closed() > 0);
        await peer.stop();
        return [name, await pictures(context, name)] as const;
      }),
    );
    const short = counts.filter(([, count]) => count <= PICTURES - LAST_PICTURES);
    const shown = short.map(([name, count]) => `${name} ${count}`);
    assert.deepEqual(shown, [], `recordings of ${PICTURES - LAST_PICTURES} or fewer pictures`);
    context.note(counts.map(([name, count]) => `${name} ${count}`).join(", "));
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
  const source = `videotestsrc num-buffers=${PICTURES} is-live=true ! video/x-raw,width=320,height=240,framerate=25/1`;
  const sink = `rtspclientsink location=${url} protocols=${transport}`;
  const args = ["-q", ...`${source} ! openh264enc gop-size=25 ! h264parse ! ${sink}`.split(" ")];
  return context.startPeer({ ...common, command: "gst-launch-1.0", args });
}

/** How many pictures ffmpeg decodes from a recording. */
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
