// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { type SilencePlan, SilenceWatch } from "./silence-watch.ts";

const STEP_MS = 100;

/** An endpoint of which counters are looked at every 100 ms. */
class Endpoint {
  readonly #traffic = { receivedDatagrams: 0, sentDatagrams: 0, sessionsActive: 1 };
  readonly #watch = new SilenceWatch(this.#traffic);
  readonly #plan: SilencePlan;
  #nowMs = 0;

  constructor(plan: Partial<SilencePlan>) {
    this.#plan = { responseMs: 0, streamMs: 0, ...plan };
  }

  /** So many steps in which so much is received from it and sent to it. Returns after which one it was too silent. */
  pass(steps: number, received: number, sent: number, sessions = 1): number | undefined {
    for (let step = 1; step <= steps; step++) {
      this.#nowMs += STEP_MS;
      this.#traffic.receivedDatagrams += received;
      this.#traffic.sentDatagrams += sent;
      this.#traffic.sessionsActive = sessions;
      if (this.#watch.look(this.#traffic, this.#plan, this.#nowMs)) return step;
    }
    return undefined;
  }
}

test("an endpoint that answers nothing while it is asked is silent when the time is up", () => {
  const endpoint = new Endpoint({ responseMs: 500 });
  expect(endpoint.pass(20, 1, 1)).toBeUndefined();
  expect(endpoint.pass(20, 0, 1)).toBe(6);
});

test("an endpoint that never answered is silent, too, and one that nobody asks is not", () => {
  expect(new Endpoint({ responseMs: 500 }).pass(20, 0, 1)).toBe(6);
  expect(new Endpoint({ responseMs: 500 }).pass(100, 0, 0)).toBeUndefined();
});

test("one datagram without an answer is no silence, but the next one after the time is", () => {
  const endpoint = new Endpoint({ responseMs: 500 });
  expect(endpoint.pass(1, 0, 1)).toBeUndefined();
  expect(endpoint.pass(50, 0, 0)).toBeUndefined();
  expect(endpoint.pass(1, 0, 1)).toBe(1);
});

test("a stream that stops is silent when the time is up, although nobody asks", () => {
  const endpoint = new Endpoint({ streamMs: 500 });
  expect(endpoint.pass(20, 3, 0)).toBeUndefined();
  expect(endpoint.pass(20, 0, 0)).toBe(5);
});

test("a stream that has not begun is not silent", () => {
  expect(new Endpoint({ streamMs: 500 }).pass(100, 0, 1)).toBeUndefined();
});

test("without sessions nothing is expected, and a new session begins anew", () => {
  const endpoint = new Endpoint({ streamMs: 500, responseMs: 500 });
  endpoint.pass(20, 1, 1);
  expect(endpoint.pass(20, 0, 0, 0)).toBeUndefined();
  expect(endpoint.pass(4, 0, 1)).toBeUndefined();
  expect(endpoint.pass(20, 1, 1)).toBeUndefined();
});

test("after it was found silent the time begins anew", () => {
  const endpoint = new Endpoint({ responseMs: 500 });
  expect(endpoint.pass(20, 0, 1)).toBe(6);
  expect(endpoint.pass(20, 0, 1)).toBe(6);
});
