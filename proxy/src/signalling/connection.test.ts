// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Connection } from "./connection.ts";
import { until } from "./testdata/test-client.ts";

let server: Server;
let peer: Socket;
let connection: Connection;
let shown: { readonly text: string; readonly isEnd: boolean }[];
let goesOn: boolean;
let events: string[];
let received: Buffer[];

beforeEach(async () => {
  shown = [];
  const told: string[] = [];
  events = told;
  received = [];
  goesOn = true;
  server = createServer({ allowHalfOpen: true });
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  peer = connect((server.address() as { port: number }).port, "127.0.0.1");
  peer.on("error", () => {});
  peer.on("data", (data: Buffer) => received.push(data));
  connection = new Connection(1, await accepted, {
    onData: (bytes, isEnd) => {
      shown.push({ text: Buffer.from(bytes).toString("latin1"), isEnd });
      return goesOn;
    },
    onWritable: () => told.push("writable"),
    onIdle: () => told.push("idle"),
    onClosed: (by) => told.push(`closed by ${by}`),
  });
});

afterEach(() => {
  peer.destroy();
  connection.close("reset");
  server.close();
});

const all = (): string => shown.map(({ text }) => text).join("");

test("what comes is shown in portions, and the end after all of it", async () => {
  const text = "x".repeat(50_000);
  peer.end(text);
  await until(() => shown.at(-1)?.isEnd === true, "the end");
  expect(all()).toBe(text);
  expect(Math.max(...shown.map((part) => part.text.length))).toBeLessThanOrEqual(16_384);
  expect(shown.filter(({ isEnd }) => isEnd)).toEqual([{ text: "", isEnd: true }]);
});

test("after a pause nothing is shown until it goes on, and then all of it, the end included", async () => {
  goesOn = false;
  peer.end("y".repeat(40_000));
  await until(() => shown.length === 1, "the first portion");
  goesOn = true;
  connection.resume();
  expect(shown).toHaveLength(1);
  await until(() => shown.at(-1)?.isEnd === true, "the rest");
  expect(all()).toHaveLength(40_000);
});

test("a peer that does not read is refused more than a bound, and its writer is told of room", async () => {
  peer.pause();
  const part = Buffer.alloc(256 * 1024, "z");
  let taken = 0;
  // The system's own buffers take some megabytes before anything waits here.
  while (taken < 100 && connection.write(part)) taken++;
  expect(taken).toBeLessThan(100);
  expect(connection.addFrame(0, part, 0, 1_000)).toBe(false);
  expect(connection.isStalled).toBe(true);
  peer.resume();
  await until(() => events.includes("writable"), "the news of room");
  expect(connection.write(Buffer.from("more"))).toBe(true);
  await until(() => Buffer.concat(received).length === taken * part.length + 4, "all that was taken");
  expect(events).toEqual(["writable"]);
});

test("frames leave together, between writes", async () => {
  connection.write(Buffer.from("before"));
  const packets = Buffer.from("onetwo");
  connection.addFrame(1, packets, 0, 3);
  connection.addFrame(2, packets, 3, 6);
  connection.flushFrames();
  connection.write(Buffer.from("after"));
  const expected = "before$\x01\x00\x03one$\x02\x00\x03twoafter";
  await until(() => Buffer.concat(received).length === expected.length, "everything");
  expect(Buffer.concat(received).toString("latin1")).toBe(expected);
});

test("a close lets out what was written, and shows nothing more", async () => {
  connection.write(Buffer.from("goodbye"));
  connection.close("flush");
  peer.write("too late");
  await until(() => events.length > 0, "the end");
  expect(events).toEqual(["closed by local"]);
  expect(Buffer.concat(received).toString()).toBe("goodbye");
  expect(shown).toEqual([]);
});

test("a peer that goes away is told of once", async () => {
  peer.resetAndDestroy();
  await until(() => events.length > 0, "the end");
  expect(events).toEqual(["closed by remote"]);
});
