// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// What went wrong in the first Media Streaming Mesh, of 2022, each as a test.
import { SignallingHarness } from "@msm/filter-sdk/testing";
import { beforeEach, expect, test } from "vitest";
import { fieldOf, request, statusOf, TestCameras } from "./test-camera.ts";

const URL = "rtsp://proxy:8554/lobby";
const UDP = "Transport: RTP/AVP;unicast;client_port=5000-5001";

let proxy: SignallingHarness;
let cameras: TestCameras;

beforeEach(async () => {
  proxy = await SignallingHarness.load("rtsp");
  cameras = new TestCameras(proxy);
});

test("readers join and leave under load, and the source has one session throughout", () => {
  const first = join();
  for (let round = 0; round < 60; round++) {
    const others = Array.from({ length: 5 }, join);
    for (const [i, { client, session }] of others.entries()) {
      if (i % 2 === 0) client.close();
      else expect(statusOf(cameras.ask(client, request("TEARDOWN", URL, `Session: ${session}`)))).toBe(200);
    }
  }
  expect(cameras.methods().filter((method) => ["DESCRIBE", "SETUP", "PLAY"].includes(method))).toEqual([
    "DESCRIBE",
    "SETUP",
    "SETUP",
    "PLAY",
  ]);
  expect(proxy.metric("msm_rtsp_readers")).toBe(1);
  expect(proxy.flows.legs().filter(({ id }) => id.startsWith("reader"))).toHaveLength(1);
  expect(first.client.closed).toBeNull();
}, 60_000);

test("RTCP that a client sends inside its connection reaches the flow", () => {
  const client = proxy.connect();
  cameras.ask(client, request("DESCRIBE", URL));
  const transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1";
  const session = fieldOf(cameras.ask(client, request("SETUP", `${URL}/stream=0`, transport)), "Session");
  const report = Uint8Array.of(0x24, 1, 0, 8, 0x80, 201, 0, 1, 0, 0, 0, 9);
  client.send(
    Buffer.concat([report, Buffer.from(request("PLAY", URL, `Session: ${session.split(";")[0]}`))]),
  );
  expect(proxy.world.packets).toEqual([{ context: client.context, channel: 1, bytes: report.subarray(4) }]);
});

test("a client that sends OPTIONS and disconnects leaves nothing behind", () => {
  for (let i = 0; i < 100; i++) {
    const client = proxy.connect();
    client.send(request("OPTIONS", URL));
    if (i % 2 === 0) client.close();
    else client.send("", true);
  }
  expect(proxy.peerCount).toBe(0);
  expect(proxy.streams).toEqual([]);
  expect(statusOf(cameras.ask(proxy.connect(), request("DESCRIBE", URL)))).toBe(200);
});

test("the second path of a server gets a description of its own, also on the same connection", () => {
  const client = proxy.connect();
  for (const name of ["lobby", "door", "lobby", "yard"]) {
    const answer = cameras.ask(client, request("DESCRIBE", `rtsp://proxy:8554/${name}`));
    expect(answer).toContain(`s=rtsp://proxy:8554/${name}\r\n`);
    expect(fieldOf(answer, "Content-Base")).toBe(`rtsp://proxy:8554/${name}/`);
  }
  for (const name of ["yard", "lobby"]) {
    cameras.ask(client, request("SETUP", `rtsp://proxy:8554/${name}/stream=1`, UDP));
    expect(cameras.requests.at(-1)?.url).toBe(`rtsp://proxy:8554/${name}/stream=1`);
  }
  expect(proxy.streams).toHaveLength(3);
});

test("an unknown method is answered with 501, and the connection lives", () => {
  const client = proxy.connect();
  expect(statusOf(cameras.ask(client, request("SPLICE", URL)))).toBe(501);
  expect(statusOf(cameras.ask(client, request("OPTIONS", URL)))).toBe(200);
  expect(client.closed).toBeNull();
});

function join() {
  const client = proxy.connect();
  cameras.ask(client, request("DESCRIBE", URL));
  const setup = cameras.ask(client, request("SETUP", `${URL}/stream=0`, UDP));
  const session = fieldOf(setup, "Session").split(";")[0] ?? "";
  expect(statusOf(cameras.ask(client, request("PLAY", `${URL}/`, `Session: ${session}`)))).toBe(200);
  return { client, session };
}
