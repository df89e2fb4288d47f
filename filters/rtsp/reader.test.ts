// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { routeTo, SignallingHarness, type TestPeer } from "@msm/filter-sdk/testing";
import { beforeEach, expect, test } from "vitest";
import { fieldOf, request, statusOf, TestCameras } from "./test-camera.ts";

const URL = "rtsp://proxy:8554/lobby";
const UDP = "Transport: RTP/AVP;unicast;client_port=5000-5001";

let proxy: SignallingHarness;
let cameras: TestCameras;
let client: TestPeer;

beforeEach(async () => {
  proxy = await SignallingHarness.load("rtsp");
  cameras = new TestCameras(proxy);
  client = proxy.connect("192.0.2.7:4000");
});

const ask = (method: string, url: string, ...fields: readonly string[]): string =>
  cameras.ask(client, request(method, url, ...fields));

function setUp(transport = UDP, track = "stream=0"): string {
  ask("DESCRIBE", URL);
  return `Session: ${fieldOf(ask("SETUP", `${URL}/${track}`, transport), "Session").split(";")[0]}`;
}

test("media go to the address that asks, and to no other", () => {
  ask("DESCRIBE", URL);
  const refused = ask("SETUP", `${URL}/stream=0`, `${UDP};destination=198.51.100.66`);
  expect(statusOf(refused)).toBe(403);
  const own = ask("SETUP", `${URL}/stream=0`, `${UDP};destination=192.0.2.7`);
  expect(statusOf(own)).toBe(200);
  const leg = proxy.flows.legs().find(({ id }) => id.startsWith("reader"));
  expect(leg?.transport.value).toMatchObject({ remote: { ip: "192.0.2.7", port: 5_000 } });
});

test.each([
  ["RTP/AVP;multicast;client_port=5000-5001", 461],
  ["RTP/SAVP;unicast;client_port=5000-5001", 461],
  ["RAW/RAW/UDP;unicast;client_port=5000-5001", 461],
  ["RTP/AVP;unicast", 461],
  ["RTP/AVP;unicast;client_port=0", 400],
  ["RTP/AVP;unicast;client_port=70000", 400],
  ["RTP/AVP/TCP;unicast;interleaved=256-257", 400],
  ["RTP/AVP;multicast, RTP/AVP/TCP;unicast;interleaved=0-1", 200],
])("the transport %s is answered with %i", (transport, status) => {
  ask("DESCRIBE", URL);
  expect(statusOf(ask("SETUP", `${URL}/stream=0`, `Transport: ${transport}`))).toBe(status);
});

test("channels that are taken on the connection are replaced by others", () => {
  const session = setUp("Transport: RTP/AVP/TCP;unicast;interleaved=0-1");
  const second = ask("SETUP", `${URL}/stream=1`, session, "Transport: RTP/AVP/TCP;unicast;interleaved=1-2");
  expect(fieldOf(second, "Transport")).toContain("interleaved=2-3");
});

test.each([
  ["PLAY", "Session: 00", 454],
  ["PAUSE", "", 455],
  ["SETUP", "", 459],
  ["RECORD", "", 455],
  ["ANNOUNCE", "", 415],
  ["GET_PARAMETER", "", 200],
])("%s with %s in a session that does not play is answered with %i", (method, session, status) => {
  const own = setUp();
  expect(statusOf(ask(method, URL, session || own, UDP))).toBe(status);
});

test("tracks that were set up together play together", () => {
  const session = setUp();
  ask("SETUP", `${URL}/stream=1`, session, UDP.replace("5000-5001", "5002-5003"));
  expect(statusOf(ask("PLAY", `${URL}/stream=0`, session))).toBe(460);
  expect(statusOf(ask("PLAY", `${URL}/`, session))).toBe(200);
});

test("who pauses gets nothing until it plays again, and the source plays on", () => {
  const session = setUp();
  ask("PLAY", URL, session);
  const isEnabled = (): unknown => proxy.flows.legs().find(({ id }) => id.startsWith("reader"))?.enabled;
  expect(isEnabled()).toBe(true);
  expect(statusOf(ask("PAUSE", URL, session))).toBe(200);
  expect(isEnabled()).toBe(false);
  expect(statusOf(ask("PLAY", URL, session))).toBe(200);
  expect(isEnabled()).toBe(true);
  expect(cameras.methods()).not.toContain("PAUSE");
});

test("a reader that is silent for its time-out is let go, with its ports", () => {
  const session = setUp();
  ask("PLAY", URL, session);
  cameras.pass(59_000);
  expect(statusOf(ask("GET_PARAMETER", URL, session))).toBe(200);
  cameras.pass(59_000);
  expect(client.closed).toBeNull();
  cameras.pass(3_000);
  expect(client.closed).toBe("flush");
  expect(proxy.metric("msm_rtsp_sessions")).toBe(0);
  expect(proxy.metric("msm_rtsp_sessions_timed_out_total")).toBe(1);
});

test("a stream without readers is given up after the linger, with a TEARDOWN", () => {
  const session = setUp();
  ask("PLAY", URL, session);
  ask("TEARDOWN", URL, session);
  cameras.pass(4_000);
  expect(proxy.metric("msm_rtsp_sources")).toBe(1);
  proxy.advance(2_000);
  expect(proxy.metric("msm_rtsp_sources")).toBe(0);
  expect(proxy.streams[0]?.take()).toMatch(/^TEARDOWN .*\r\n.*\r\nSession: camera\r\n/);
  expect(proxy.flows.flows.size).toBe(0);
});

test("readers that come and go while it plays do not keep it longer", () => {
  const session = setUp();
  ask("PLAY", URL, session);
  const guest = proxy.connect();
  cameras.ask(guest, request("DESCRIBE", URL));
  cameras.ask(guest, request("SETUP", `${URL}/stream=1`, UDP));
  guest.close();
  const other = proxy.connect();
  other.send(request("DESCRIBE", URL));
  other.close();
  ask("TEARDOWN", URL, session);
  cameras.pass(6_000);
  expect(proxy.metric("msm_rtsp_sources")).toBe(0);
});

test("the source is kept alive by what it allows", () => {
  ask("PLAY", URL, setUp());
  cameras.pass(20_000);
  expect(cameras.methods().slice(-2)).toEqual(["OPTIONS", "GET_PARAMETER"]);
});

test("no route is a 404 that says why, and no endpoint a 503", () => {
  proxy.world.route = (asked) =>
    routeTo(asked, { status: 404, reason: "no route matches /lobby", endpoint: "" });
  const answer = ask("DESCRIBE", URL);
  expect([statusOf(answer), answer.split("\r\n\r\n")[1]]).toEqual([404, "no route matches /lobby\r\n"]);
  proxy.world.route = (asked) =>
    routeTo(asked, { status: 503, reason: "no endpoint is healthy", endpoint: "" });
  expect(statusOf(ask("DESCRIBE", URL))).toBe(503);
});

test("a reader in TLS is told URLs of its own scheme, and shares the camera's session with others", () => {
  const secure = URL.replace("rtsp:", "rtsps:");
  const answer = ask("DESCRIBE", secure);
  expect(fieldOf(answer, "Content-Base")).toBe(`${secure}/`);
  expect(fieldOf(ask("DESCRIBE", URL), "Content-Base")).toBe(`${URL}/`);
  expect(cameras.requests.map(({ url }) => url)).toEqual([URL]);
});

test("a rewritten route is asked for by its new name, and the reader does not notice", () => {
  proxy.world.route = (asked) => routeTo(asked, { host: "camera.local:554", path: "/live/1" });
  const answer = ask("DESCRIBE", `${URL}?channel=2`);
  expect(cameras.requests[0]?.url).toBe("rtsp://camera.local:554/live/1");
  expect(fieldOf(answer, "Content-Base")).toBe(`${URL}?channel=2/`);
  expect(proxy.world.requests[0]).toMatchObject({
    host: "proxy:8554",
    path: "/lobby?channel=2",
    method: "DESCRIBE",
  });
});

test("a server that refuses UDP is asked for interleaved media", () => {
  cameras.answer = ({ method, head }) =>
    method === "SETUP" && !head.includes("TCP") ? "RTSP/1.0 461 Unsupported transport\r\n\r\n" : null;
  ask("PLAY", URL, setUp());
  expect(cameras.methods()).toEqual(["DESCRIBE", "SETUP", "SETUP", "SETUP", "PLAY", "OPTIONS"]);
  const sources = proxy.flows.legs().filter(({ id }) => id.startsWith("source"));
  expect(sources.map(({ transport }) => transport.case)).toEqual(["interleaved", "interleaved"]);
});

test("a flow that cannot be installed is a 503 that says why", () => {
  proxy.flows.refuse = ({ id }) => (id.startsWith("reader") ? "no port is free" : undefined);
  ask("DESCRIBE", URL);
  const answer = ask("SETUP", `${URL}/stream=0`, UDP);
  expect([statusOf(answer), answer.split("\r\n\r\n")[1]]).toEqual([
    503,
    "MSM_FLOW_TEST: no port is free\r\n",
  ]);
  proxy.flows.refuse = () => undefined;
  expect(statusOf(ask("SETUP", `${URL}/stream=0`, UDP))).toBe(200);
});

test("requests that come together are answered in their order", () => {
  const requests = [1, 2, 3].map((i) =>
    request(i === 2 ? "DESCRIBE" : "OPTIONS", URL).replace("7", String(i)),
  );
  const answers = cameras.ask(client, requests.join(""));
  expect([...answers.matchAll(/CSeq: (\d)/g)].map(([, sequence]) => sequence)).toEqual(["1", "2", "3"]);
});

test("fifty requests at once are all answered, a few in each callback", () => {
  const answers = cameras.ask(client, request("OPTIONS", URL).repeat(50));
  expect(answers.match(/^RTSP/gm)).toHaveLength(50);
});
