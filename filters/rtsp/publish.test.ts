// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { SignallingHarness } from "@msm/filter-sdk/testing";
import { beforeEach, expect, test } from "vitest";
import { description, fieldOf, request, statusOf, TestCameras } from "./test-camera.ts";

const URL = "rtsp://proxy:8554/studio";
const RECORD = "Transport: RTP/AVP;unicast;client_port=6000-6001;mode=record";
const INTERLEAVED = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1;mode=record";

let proxy: SignallingHarness;
let servers: TestCameras;

beforeEach(async () => {
  proxy = await SignallingHarness.load("rtsp");
  servers = new TestCameras(proxy);
});

function announce(...fields: readonly string[]): string {
  const body = description("studio");
  return (
    request("ANNOUNCE", URL, "Content-Type: application/sdp", ...fields, `Content-Length: ${body.length}`) +
    body
  );
}

function publish(transport = RECORD) {
  const client = proxy.connect();
  const ask = (method: string, url: string, ...fields: readonly string[]): string =>
    servers.ask(client, request(method, url, ...fields));
  expect(statusOf(servers.ask(client, announce()))).toBe(200);
  const setup = ask("SETUP", `${URL}/stream=0`, transport);
  const session = `Session: ${fieldOf(setup, "Session").split(";")[0]}`;
  return { client, ask, setup, session };
}

test("what a client publishes goes to the server, in a session with each", () => {
  const { ask, setup, session } = publish();
  expect(fieldOf(setup, "Transport")).toBe(
    "RTP/AVP;unicast;client_port=6000-6001;server_port=16384-16385;source=192.0.2.2;mode=record",
  );
  expect(statusOf(ask("RECORD", URL, session, "Range: npt=0.000-"))).toBe(200);
  expect(servers.requests.map(({ method, url }) => [method, url])).toEqual([
    ["ANNOUNCE", URL],
    ["SETUP", `${URL}/stream=0`],
    ["RECORD", URL],
  ]);
  expect(fieldOf(servers.requests[1]?.head ?? "", "Transport")).toBe(
    "RTP/AVP;unicast;client_port=16386-16387;mode=record",
  );
  expect(proxy.flows.legs()).toMatchObject([
    { id: "publisher", enabled: true, transport: { value: { remote: { ip: "192.0.2.1", port: 6_000 } } } },
    { id: "server-1", enabled: true, transport: { value: { remote: { ip: "198.51.100.1", port: 7_002 } } } },
  ]);
  expect(statusOf(ask("TEARDOWN", URL, session))).toBe(200);
  expect(proxy.flows.flows.size).toBe(0);
  expect(proxy.metric("msm_rtsp_publishers")).toBe(0);
});

test("a server that refuses UDP takes what is published interleaved", () => {
  servers.answer = ({ method, head }) =>
    method === "SETUP" && !head.includes("TCP") ? "RTSP/1.0 461 Unsupported transport\r\n\r\n" : null;
  const { setup } = publish(INTERLEAVED);
  expect(fieldOf(setup, "Transport")).toBe("RTP/AVP/TCP;unicast;interleaved=0-1;mode=record");
  expect(proxy.flows.legs().map(({ transport }) => transport.case)).toEqual(["interleaved", "interleaved"]);
});

test("the server's challenge goes to who publishes, and the answer to it over the same connection", () => {
  servers.answer = ({ head }) =>
    head.includes("Authorization")
      ? null
      : 'RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Digest nonce="1"\r\n\r\n';
  const client = proxy.connect();
  const challenge = servers.ask(client, announce());
  expect([statusOf(challenge), fieldOf(challenge, "WWW-Authenticate")]).toEqual([401, 'Digest nonce="1"']);
  const signed = `Authorization: Digest uri="${URL}", response="x"`;
  expect(statusOf(servers.ask(client, announce(signed)))).toBe(200);
  expect(proxy.streams).toHaveLength(1);
});

test("what is out of order is refused, and the server does not hear of it", () => {
  const { ask, client, session } = publish();
  expect(statusOf(ask("PLAY", URL, session))).toBe(455);
  expect(statusOf(ask("SETUP", `${URL}/stream=9`, session, RECORD))).toBe(404);
  expect(statusOf(ask("SETUP", `${URL}/stream=1`, session, RECORD.replace(";mode=record", "")))).toBe(461);
  expect(statusOf(servers.ask(client, announce()))).toBe(455);
  expect(servers.methods()).toEqual(["ANNOUNCE", "SETUP"]);
});

test("a publisher that goes takes its session at the server and its flows along", () => {
  const { client, ask, session } = publish();
  ask("RECORD", URL, session);
  client.close();
  expect(proxy.streams[0]?.take()).toContain("TEARDOWN rtsp://proxy:8554/studio RTSP/1.0");
  expect(proxy.flows.flows.size).toBe(0);
  expect(proxy.peerCount).toBe(0);
});

test("where the server is lost, the publisher is let go", () => {
  const { client, ask, session } = publish();
  ask("RECORD", URL, session);
  proxy.streams[0]?.close();
  expect(client.closed).toBe("flush");
  expect(proxy.flows.flows.size).toBe(0);
});
