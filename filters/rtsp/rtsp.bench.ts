// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { SignallingHarness, type TestPeer } from "@msm/filter-sdk/testing";
import { fieldOf, request, statusOf, TestCameras } from "./test-camera.ts";

// What signalling costs in the filter and its host, without sockets: one thread, everything in memory.
const URL = "rtsp://proxy:8554/lobby";
const ROUNDS = 5;
const REQUESTS = 2_000;
const READERS = 100;
const US_PER_MS = 1_000;

const proxy = await SignallingHarness.load("rtsp");
const cameras = new TestCameras(proxy);
const keeper = join(proxy.connect());

report("OPTIONS", REQUESTS, () => {
  const client = proxy.connect();
  for (let i = 0; i < REQUESTS; i++) {
    client.send(request("OPTIONS", URL));
    client.take();
  }
  client.close();
});

report("a reader's DESCRIBE, SETUP, PLAY and TEARDOWN of a stream that plays", READERS, () => {
  for (let i = 0; i < READERS; i++) {
    const client = proxy.connect();
    const session = join(client);
    expectOk(cameras.ask(client, request("TEARDOWN", URL, session)));
    client.close();
  }
});
expectOk(cameras.ask(proxy.connect(), request("OPTIONS", URL, keeper)));

function join(client: TestPeer): string {
  expectOk(cameras.ask(client, request("DESCRIBE", URL)));
  const transport = "Transport: RTP/AVP;unicast;client_port=5000-5001";
  const setup = cameras.ask(client, request("SETUP", `${URL}/stream=0`, transport));
  const session = `Session: ${fieldOf(setup, "Session").split(";")[0]}`;
  expectOk(cameras.ask(client, request("PLAY", URL, session)));
  return session;
}

function expectOk(answer: string): void {
  if (statusOf(answer) !== 200) throw new Error(`a request failed:\n${answer}`);
}

function report(what: string, times: number, run: () => void): void {
  const samples: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now();
    run();
    samples.push(((performance.now() - startedAt) * US_PER_MS) / times);
  }
  const median = samples.sort((a, b) => a - b)[ROUNDS >> 1] ?? 0;
  console.log(`rtsp, ${what}: median ${median.toFixed(1)} us`);
}
