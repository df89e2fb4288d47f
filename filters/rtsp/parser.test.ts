// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { SignallingHarness } from "@msm/filter-sdk/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { request, statusOf } from "./test-camera.ts";

const proxy = await SignallingHarness.load("rtsp");

/** What the proxy answers to bytes that come in these pieces, and how it ends the connection. */
function answerTo(bytes: Uint8Array, cuts: readonly number[]) {
  const client = proxy.connect("192.0.2.1:4000");
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1))), bytes.length].sort((a, b) => a - b);
  let from = 0;
  for (const end of ends) {
    client.send(bytes.subarray(from, end));
    from = end;
  }
  for (let i = 0; i < 10; i++) proxy.advance(1, 1);
  const text = client.take();
  const { closed } = client;
  if (closed === null) client.close();
  return { text, closed };
}

/** From RFC 2326 sections 10 and 14, and what tolerant servers take. */
const pieces = [
  request("OPTIONS", "*"),
  request("OPTIONS", "*", "Require: implicit-play", "Proxy-Require: gzipped-messages"),
  "OPTIONS rtsp://proxy/x RTSP/1.0\nCSeq: 2\n\n",
  `${request("GET_PARAMETER", "rtsp://proxy/x", "Content-Length: 26")}packets_received\r\njitter\r\n`,
  request("OPTIONS", "*", "X-Folded: one", "\ttwo", "   three"),
  "\r\n\r\n",
  request("PLAY", "rtsp://audio.example.com/audio", "Session: 12345678", "Range: npt=10-15"),
  request("SPLICE", "rtsp://proxy/x"),
  "RTSP/1.0 200 OK\r\nCSeq: 9\r\n\r\n",
  "$\x01\x00\x04abcd",
  "$\x00\x00\x00",
];

test("however the bytes are split, the answers are the same", () => {
  const parts = fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(parts, fc.array(fc.nat(), { maxLength: 12 }), (texts, cuts) => {
      const bytes = Buffer.from(texts.join(""), "latin1");
      expect(answerTo(bytes, cuts)).toEqual(answerTo(bytes, []));
    }),
  );
});

test("a message byte by byte is a message", () => {
  const bytes = Buffer.from(pieces.join(""), "latin1");
  const everywhere = Array.from(bytes.keys());
  expect(answerTo(bytes, everywhere)).toEqual(answerTo(bytes, []));
});

test("garbage ends the connection at most, and never the filter", () => {
  const garbage = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.string({ maxLength: 200 }).map((text) => Buffer.from(`${text}\r\n\r\n`, "latin1")),
    fc
      .tuple(fc.constantFrom(...pieces), fc.nat(), fc.nat(255))
      .map(([text, at, byte]) =>
        Buffer.from(text, "latin1").fill(byte, at % text.length, (at % text.length) + 1),
      ),
  );
  fc.assert(
    fc.property(garbage, fc.array(fc.nat(), { maxLength: 4 }), (bytes, cuts) => {
      answerTo(bytes, cuts);
      expect(statusOf(answerTo(Buffer.from(pieces[0]!), []).text)).toBe(200);
    }),
  );
});

test.each([
  ["a head of 1 MB", `OPTIONS * RTSP/1.0\r\nX: ${"x".repeat(1_000_000)}`, 413],
  [
    "a body that is announced with 1 MB",
    request("ANNOUNCE", "rtsp://proxy/x", "Content-Length: 1000000"),
    413,
  ],
  ["a length that is no number", request("ANNOUNCE", "rtsp://proxy/x", "Content-Length: -1"), 400],
  ["two lengths", request("ANNOUNCE", "rtsp://proxy/x", "Content-Length: 1", "Content-Length: 2"), 400],
  ["another protocol", "GET / HTTP/1.1\r\nHost: proxy\r\n\r\n", 400],
  ["a line end inside a value", "OPTIONS * RTSP/1.0\r\nCSeq: 1\rEvil: 1\r\n\r\n", 400],
])("%s is refused, and nothing behind it is believed", (_what, text, status) => {
  const { text: answer, closed } = answerTo(Buffer.from(text, "latin1"), []);
  expect([statusOf(answer), closed]).toEqual([status, "flush"]);
});

test.each([
  ["a request without CSeq", "OPTIONS * RTSP/1.0\r\n\r\n", 400],
  ["RTSP 2.0", "OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n\r\n", 505],
  ["a URI of 5,000 bytes", request("DESCRIBE", `rtsp://proxy/${"x".repeat(5_000)}`), 414],
  ["a URI of something else", request("DESCRIBE", "http://proxy/x"), 400],
  ["an option that nobody knows", pieces[1]!, 551],
])("%s is refused, and the connection lives", (_what, text, status) => {
  const { text: answer, closed } = answerTo(Buffer.from(text, "latin1"), []);
  expect([statusOf(answer), closed]).toEqual([status, null]);
});

test("a packet full of requests is worked off beside a thousand connections", async () => {
  const own = await SignallingHarness.load("rtsp");
  for (let i = 0; i < 1_000; i++) own.connect();
  const client = own.connect();
  client.send("OPTIONS * RTSP/1.0\nCSeq:1\n\n".repeat(600));
  for (let i = 0; i < 120; i++) own.advance(1, 1);
  expect(client.take().match(/^RTSP/gm)).toHaveLength(600);
  expect(own.metric('msm_rtsp_requests_total{method="OPTIONS",status="200"}')).toBe(600);
});

test("half a message is waited for, but not for ever", () => {
  const client = proxy.connect();
  for (let i = 0; i < 12; i++) {
    client.send("x");
    proxy.advance(1_000, 250);
  }
  expect([statusOf(client.take()), client.closed]).toEqual([408, "flush"]);
});

test("a thousand connections with half a head each do not take the memory of the others", async () => {
  const own = await SignallingHarness.load("rtsp");
  const clients = Array.from({ length: 1_000 }, () => own.connect());
  for (const client of clients) client.send("x".repeat(12_000));
  const refused = clients.filter(({ closed }) => closed !== null);
  expect(refused.length).toBeGreaterThan(400);
  expect(refused.length).toBeLessThan(800);
  const next = own.connect();
  next.send(pieces[0]!);
  expect(statusOf(next.take())).toBe(200);
});
