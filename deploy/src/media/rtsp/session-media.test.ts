// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { describedStream } from "./session-media.ts";

test("reads tracks with relative and absolute URLs, static and dynamic payload types", () => {
  const sdp = [
    "v=0",
    "a=control:*",
    "m=video 0 RTP/AVP 96",
    "a=rtpmap:96 H264/90000",
    "a=control:stream=0",
    "m=audio 0 RTP/AVP 0",
    "a=control:rtsp://host/a/stream=1",
    "m=application 0 RTP/AVP 97",
    "a=control:stream=2",
  ].join("\r\n");
  expect(describedStream(sdp, "rtsp://host/a/")).toEqual({
    url: "rtsp://host/a",
    tracks: [
      { kind: "video", clockHz: 90_000, url: "rtsp://host/a/stream=0" },
      { kind: "audio", clockHz: 8000, url: "rtsp://host/a/stream=1" },
    ],
  });
});
