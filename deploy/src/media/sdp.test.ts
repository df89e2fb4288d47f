// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { PPS, SPS } from "./h264-encoder.ts";
import { sessionDescription } from "./sdp.ts";

test("describes both streams, the profile of the picture and its parameter sets", () => {
  const sdp = sessionDescription({
    address: "127.0.0.1",
    videoPort: 7004,
    audioPort: 7006,
    sps: SPS,
    pps: PPS,
  });
  expect(sdp).toContain("m=video 7004 RTP/AVP 96\r\n");
  expect(sdp).toContain("m=audio 7006 RTP/AVP 0\r\n");
  expect(sdp).toContain(`profile-level-id=42c014;sprop-parameter-sets=${SPS.toString("base64")},`);
  expect(sdp.endsWith("\r\n")).toBe(true);
});

test("names IPv6 addresses as such and leaves the tone out when no port is given for it", () => {
  const sdp = sessionDescription({ address: "::1", videoPort: 7004, sps: SPS, pps: PPS });
  expect(sdp).toContain("c=IN IP6 ::1\r\n");
  expect(sdp).not.toContain("m=audio");
});
