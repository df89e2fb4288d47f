// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import type { Relay } from "../running-relay.ts";
import { askRtpengine } from "./ng-client.ts";

const RTPENGINE = "/usr/bin/rtpengine";
const NG_PORT = 7003;
/** Where the callers are said to be; rtpengine learns from their first datagrams where they really are. */
const FIRST_CALLER_PORT = 20_000;

/** rtpengine in user space, one thread, with a call for each of `flows`: from a caller of the generator to the sink. */
export function rtpengine(flows: number): Relay {
  return {
    name: "rtpengine, user space",
    command: [
      RTPENGINE,
      "--foreground",
      "--table=-1",
      "--interface=127.0.0.1",
      `--listen-ng=127.0.0.1:${NG_PORT}`,
      "--num-threads=1",
      "--port-min=30000",
      "--port-max=40000",
      "--log-level=2",
      "--log-stderr",
    ],
    startMs: 1_500,
    connect: () => Promise.all(Array.from({ length: flows }, (_, index) => openCall(index))),
    ...(existsSync(RTPENGINE) ? {} : { missing: "it needs Debian's rtpengine-daemon" }),
  };
}

/** Sets up a call, and returns the port at which rtpengine takes the caller's datagrams. */
async function openCall(index: number): Promise<number> {
  const call = { "call-id": `bench-${index}`, "from-tag": "caller", replace: ["origin"] };
  await askRtpengine(NG_PORT, { command: "offer", ...call, sdp: sdp(FIRST_CALLER_PORT + 2 * index) });
  const answer = { command: "answer", ...call, "to-tag": "callee", sdp: sdp(7002) };
  const answered = (await askRtpengine(NG_PORT, answer)).get("sdp") ?? "";
  return Number(answered.match(/^m=video (\d+)/m)?.[1]);
}

function sdp(port: number): string {
  return [
    "v=0",
    "o=- 1 1 IN IP4 127.0.0.1",
    "s=-",
    "c=IN IP4 127.0.0.1",
    "t=0 0",
    `m=video ${port} RTP/AVP 96`,
    "a=rtpmap:96 H264/90000",
    "",
  ].join("\r\n");
}
