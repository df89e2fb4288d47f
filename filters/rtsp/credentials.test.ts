// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { SignallingHarness, type TestPeer } from "@msm/filter-sdk/testing";
import { beforeEach, expect, test } from "vitest";
import { fieldOf, request, statusOf, TestCameras } from "./test-camera.ts";

const URL = "rtsp://proxy:8554/lobby";
const UDP = "Transport: RTP/AVP;unicast;client_port=5000-5001";

let proxy: SignallingHarness;
let cameras: TestCameras;
let reader: TestPeer;

beforeEach(async () => {
  proxy = await SignallingHarness.load("rtsp");
  cameras = new TestCameras(proxy);
  reader = proxy.connect();
});

/** A signature that the camera takes for right, over a method and a URL as a client writes it. */
const digest = (method: string, uri: string, password = "right"): string =>
  `Authorization: Digest username="me", realm="camera", nonce="1", uri="${uri}", response="${method}-${password}"`;

/** Makes the cameras ask for a digest, over the URL in the request's own line, as strict ones do. */
function guard(): void {
  cameras.answer = ({ method, url, head }) => {
    const given = fieldOf(head, "Authorization");
    if (method === "OPTIONS" || given.includes(`uri="${url}", response="${method}-right"`)) return null;
    return 'RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm="camera", nonce="1"\r\nWWW-Authenticate: Basic realm="camera"\r\n\r\n';
  };
}

const ask = (client: TestPeer, method: string, url: string, ...fields: readonly string[]): string =>
  cameras.ask(client, request(method, url, ...fields));

test("a challenge goes to the reader, and its signature to the camera as it is", () => {
  guard();
  const challenge = ask(reader, "DESCRIBE", URL);
  expect(statusOf(challenge)).toBe(401);
  expect(challenge.match(/^WWW-Authenticate: .*$/gm)).toHaveLength(2);
  expect(statusOf(ask(reader, "DESCRIBE", URL, digest("DESCRIBE", URL)))).toBe(200);
  const track = `${URL}/stream=0`;
  const setup = ask(reader, "SETUP", track, UDP, digest("SETUP", track));
  const session = `Session: ${fieldOf(setup, "Session").split(";")[0]}`;
  expect(statusOf(ask(reader, "PLAY", `${URL}/`, session, digest("PLAY", `${URL}/`)))).toBe(200);
  // The challenge may be bound to the connection, and the other track nobody has signed for.
  expect(proxy.streams).toHaveLength(1);
  expect(cameras.methods()).toEqual(["DESCRIBE", "DESCRIBE", "SETUP", "PLAY", "OPTIONS"]);
});

test("a signature over the reader's URL holds where the camera names itself otherwise", () => {
  guard();
  const guarded = cameras.answer;
  cameras.answer = (asked) => {
    const refusal = guarded(asked);
    if (refusal !== null || asked.method !== "DESCRIBE") return refusal;
    const body = "v=0\r\ns=x\r\nm=audio 0 RTP/AVP 0\r\na=control:rtsp://10.0.0.1/lobby/stream=0\r\n";
    return `RTSP/1.0 200 OK\r\nContent-Base: rtsp://10.0.0.1/lobby/\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  };
  ask(reader, "DESCRIBE", URL, digest("DESCRIBE", URL));
  expect(statusOf(ask(reader, "SETUP", `${URL}/stream=0`, UDP, digest("SETUP", `${URL}/stream=0`)))).toBe(
    200,
  );
  expect(cameras.requests.at(-1)?.url).toBe(`${URL}/stream=0`);
});

test("a stream that needs credentials is for those alone who have them", () => {
  guard();
  ask(reader, "DESCRIBE", URL, digest("DESCRIBE", URL));
  ask(reader, "SETUP", `${URL}/stream=0`, UDP, digest("SETUP", `${URL}/stream=0`));
  const stranger = proxy.connect();
  expect(statusOf(ask(stranger, "SETUP", `${URL}/stream=0`, UDP))).toBe(455);
  expect(statusOf(ask(stranger, "DESCRIBE", URL))).toBe(401);
  expect(statusOf(ask(stranger, "DESCRIBE", URL, digest("DESCRIBE", URL, "wrong")))).toBe(401);
  expect(statusOf(ask(stranger, "SETUP", `${URL}/stream=0`, UDP))).toBe(455);
  expect(statusOf(ask(stranger, "DESCRIBE", URL, digest("DESCRIBE", URL)))).toBe(200);
  expect(statusOf(ask(stranger, "SETUP", `${URL}/stream=0`, UDP))).toBe(200);
  expect(cameras.methods().filter((method) => method === "SETUP")).toHaveLength(1);
});

test("credentials that hold for any request keep the camera alive, and fetch the stream again", () => {
  const basic = "Authorization: Basic bWU6cmlnaHQ=";
  cameras.answer = ({ head }) =>
    head.includes(basic)
      ? null
      : 'RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm="camera"\r\n\r\n';
  ask(reader, "DESCRIBE", URL, basic);
  const setup = ask(reader, "SETUP", `${URL}/stream=0`, UDP, basic);
  ask(reader, "PLAY", URL, `Session: ${fieldOf(setup, "Session").split(";")[0]}`, basic);
  proxy.streams[0]?.close();
  cameras.pass(1_000);
  expect(cameras.methods(1)).toEqual(["DESCRIBE", "SETUP", "SETUP", "PLAY", "OPTIONS"]);
  expect(reader.closed).toBeNull();
});

test("routes see no credentials", () => {
  ask(reader, "DESCRIBE", URL, "Authorization: Basic bWU6cmlnaHQ=", "X-Site: north");
  expect(proxy.world.requests[0]?.headers).toEqual({ cseq: "7", "x-site": "north" });
});
