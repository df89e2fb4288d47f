// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Dialog, SignallingHarness } from "@msm/filter-sdk/testing";
import { expect, test } from "vitest";

test("a reader over UDP gets a stream from a server over UDP", async () => {
  const proxy = await SignallingHarness.load("rtsp");
  new Dialog(proxy).play(`
    reader>
    OPTIONS rtsp://proxy:8554/lobby RTSP/1.0
    CSeq: 1

    reader<
    RTSP/1.0 200 OK
    CSeq: 1
    Public: OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER, ANNOUNCE, RECORD

    reader>
    DESCRIBE rtsp://proxy:8554/lobby RTSP/1.0
    CSeq: 2
    Accept: application/sdp

    source accepts
    source<
    DESCRIBE rtsp://proxy:8554/lobby RTSP/1.0
    CSeq: 1
    Accept: application/sdp

    source>
    RTSP/1.0 200 OK
    CSeq: 1
    Content-Type: application/sdp
    Content-Base: rtsp://198.51.100.1/lobby/

    v=0
    o=- 7 1 IN IP4 198.51.100.1
    s=Lobby
    c=IN IP4 0.0.0.0
    t=0 0
    a=control:rtsp://198.51.100.1/lobby/
    m=video 0 RTP/AVP 96
    a=rtpmap:96 H264/90000
    a=control:rtsp://198.51.100.1/lobby/trackID=1
    m=audio 0 RTP/AVP 0
    a=control:trackID=2

    reader<
    RTSP/1.0 200 OK
    CSeq: 2
    Content-Base: rtsp://proxy:8554/lobby/
    Content-Type: application/sdp

    v=0
    o=- 7 1 IN IP4 192.0.2.2
    s=Lobby
    c=IN IP4 192.0.2.2
    t=0 0
    a=control:*
    m=video 0 RTP/AVP 96
    a=rtpmap:96 H264/90000
    a=control:trackID=1
    m=audio 0 RTP/AVP 0
    a=control:trackID=2

    reader>
    SETUP rtsp://proxy:8554/lobby/trackID=1 RTSP/1.0
    CSeq: 3
    Transport: RTP/AVP;unicast;client_port=5000-5001

    source<
    SETUP rtsp://198.51.100.1/lobby/trackID=1 RTSP/1.0
    CSeq: 2
    Transport: RTP/AVP;unicast;client_port=16384-16385

    source>
    RTSP/1.0 200 OK
    CSeq: 2
    Session: abc;timeout=30
    Transport: RTP/AVP;unicast;client_port=16384-16385;server_port=7000-7001;ssrc=DECAFBAD

    reader<
    RTSP/1.0 200 OK
    CSeq: 3
    Session: {session};timeout=60
    Transport: RTP/AVP;unicast;client_port=5000-5001;server_port=16386-16387;source=192.0.2.2;ssrc=decafbad

    reader>
    PLAY rtsp://proxy:8554/lobby/ RTSP/1.0
    CSeq: 4
    Session: {session}
    Range: npt=0.000-

    source<
    SETUP rtsp://198.51.100.1/lobby/trackID=2 RTSP/1.0
    CSeq: 3
    Transport: RTP/AVP;unicast;client_port=16388-16389
    Session: abc

    source>
    RTSP/1.0 200 OK
    CSeq: 3
    Session: abc;timeout=30
    Transport: RTP/AVP;unicast;client_port=16388-16389;server_port=7002-7003

    source<
    PLAY rtsp://198.51.100.1/lobby/ RTSP/1.0
    CSeq: 4
    Session: abc
    Range: npt=0.000-

    source>
    RTSP/1.0 200 OK
    CSeq: 4
    Session: abc
    Range: npt=0-
    RTP-Info: url=rtsp://198.51.100.1/lobby/trackID=1;seq=17;rtptime=9000,url=rtsp://198.51.100.1/lobby/trackID=2;seq=4;rtptime=1

    reader<
    RTSP/1.0 200 OK
    CSeq: 4
    Session: {session};timeout=60
    Range: npt=0-
    RTP-Info: url=rtsp://proxy:8554/lobby/trackID=1;seq=17;rtptime=9000

    reader>
    TEARDOWN rtsp://proxy:8554/lobby/ RTSP/1.0
    CSeq: 5
    Session: {session}

    reader<
    RTSP/1.0 200 OK
    CSeq: 5
    Session: {session}
  `);
  expect(proxy.flows.legs().map(({ id, enabled }) => `${id} ${enabled}`)).toEqual([
    "source-1 true",
    "source-1 true",
  ]);
});
