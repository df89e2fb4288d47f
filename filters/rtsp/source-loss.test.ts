// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { routeTo, SignallingHarness, type TestPeer } from "@msm/filter-sdk/testing";
import { beforeEach, expect, test } from "vitest";
import { fieldOf, request, statusOf, TestCameras } from "./test-camera.ts";

const URL = "rtsp://proxy:8554/lobby";

let proxy: SignallingHarness;
let cameras: TestCameras;

beforeEach(async () => {
  proxy = await SignallingHarness.load("rtsp");
  cameras = new TestCameras(proxy);
});

function join(transport = "Transport: RTP/AVP;unicast;client_port=5000-5001"): TestPeer {
  const client = proxy.connect();
  cameras.ask(client, request("DESCRIBE", URL));
  const setup = cameras.ask(client, request("SETUP", `${URL}/stream=0`, transport));
  const session = `Session: ${fieldOf(setup, "Session").split(";")[0]}`;
  expect(statusOf(cameras.ask(client, request("PLAY", `${URL}/`, session)))).toBe(200);
  return client;
}

test("where a source is lost, its readers go on at another endpoint in their sessions", () => {
  const readers = [join(), join("Transport: RTP/AVP/TCP;unicast;interleaved=0-1")];
  const legs = (): unknown =>
    proxy.flows
      .legs()
      .filter(({ id }) => id.startsWith("reader"))
      .map(({ id, enabled }) => [id, enabled]);
  const before = legs();
  proxy.world.route = (asked) => routeTo(asked, { endpoint: "198.51.100.2:554" });
  proxy.streams[0]?.close();
  cameras.pass(1_000);
  expect(proxy.streams.map(({ address }) => address)).toEqual(["198.51.100.1:554", "198.51.100.2:554"]);
  expect(cameras.methods(1)).toEqual(["DESCRIBE", "SETUP", "SETUP", "PLAY", "OPTIONS"]);
  const setups = cameras.requests.filter(({ stream, method }) => stream === 1 && method === "SETUP");
  expect(setups.map(({ head }) => fieldOf(head, "Session"))).toEqual(["", "camera"]);
  expect(readers.map(({ closed }) => closed)).toEqual([null, null]);
  expect(legs()).toEqual(before);
  const sources = proxy.flows.legs().filter(({ id }) => id.startsWith("source"));
  expect(sources.map(({ id, enabled }) => [id, enabled])).toEqual([
    ["source-2", true],
    ["source-2", true],
  ]);
  expect(proxy.world.results.map(({ code }) => code)).toContain(0);
  expect(proxy.metric("msm_rtsp_sources_revived_total")).toBe(1);
  expect(proxy.world.released).toHaveLength(2);
});

test("where none takes over in two seconds, readers get a clean end and nothing is left", () => {
  const readers = [join(), join()];
  cameras.isThere = false;
  proxy.streams[0]?.close();
  cameras.pass(1_000);
  expect(readers.map(({ closed }) => closed)).toEqual([null, null]);
  cameras.pass(2_000);
  expect(readers.map(({ closed }) => closed)).toEqual(["flush", "flush"]);
  expect(proxy.flows.flows.size).toBe(0);
  expect(proxy.peerCount).toBe(0);
  expect(proxy.metric("msm_rtsp_sources")).toBe(0);
});

test("another stream in its place is the end, for readers know another description", () => {
  const reader = join();
  const body = "v=0\r\ns=x\r\nm=audio 0 RTP/AVP 8\r\n";
  cameras.answer = ({ method }) =>
    method === "DESCRIBE" ? `RTSP/1.0 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}` : null;
  proxy.streams[0]?.close();
  cameras.pass(1_000);
  expect(reader.closed).toBe("flush");
});

test("a source that says nothing for ten seconds when it is asked is lost", () => {
  join();
  cameras.answer = ({ method }) => (method === "GET_PARAMETER" ? "" : null);
  cameras.pass(30_000);
  expect(proxy.streams.length).toBeGreaterThan(1);
  expect(proxy.streams[0]?.closed).toBe("reset");
});

test("a source that forgot the session is asked for a new one", () => {
  join();
  cameras.answer = ({ method }) =>
    method === "GET_PARAMETER" ? "RTSP/1.0 454 Session Not Found\r\n\r\n" : null;
  cameras.pass(17_000);
  expect(cameras.methods(1).slice(0, 4)).toEqual(["DESCRIBE", "SETUP", "SETUP", "PLAY"]);
});

test("who asks first is sent to another endpoint where one cannot be connected", () => {
  const client = proxy.connect();
  client.send(request("DESCRIBE", URL));
  proxy.streams[0]?.refuse();
  proxy.advance(1, 1);
  expect(statusOf(cameras.ask(client, request("OPTIONS", URL)))).toBe(200);
  expect(cameras.methods(1)).toEqual(["DESCRIBE"]);
});

test("where no endpoint can be connected, the reader is told so", () => {
  cameras.isThere = false;
  const answer = cameras.ask(proxy.connect(), request("DESCRIBE", URL));
  expect([statusOf(answer), answer.split("\r\n\r\n")[1]]).toEqual([
    503,
    "the source 198.51.100.1:554 is lost: it cannot be connected\r\n",
  ]);
  expect(proxy.streams).toHaveLength(3);
  expect(proxy.metric("msm_rtsp_sources")).toBe(0);
});

test("a source that sends what is no RTSP is lost, not the filter", () => {
  const client = proxy.connect();
  client.send(request("DESCRIBE", URL));
  for (let i = 0; i < 3; i++) {
    proxy.streams[i]?.accept();
    proxy.streams[i]?.send("HTTP/1.0 200 OK\r\n\r\n");
    proxy.advance(1, 1);
  }
  expect(statusOf(client.take())).toBe(503);
});

test("five hundred readers of a lost source are all let go", () => {
  const readers = Array.from({ length: 500 }, () => join());
  cameras.isThere = false;
  proxy.streams[0]?.close();
  cameras.pass(3_000);
  proxy.advance(500, 1);
  expect(readers.every(({ closed }) => closed === "flush")).toBe(true);
}, 60_000);
