// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import type { Worker } from "node:worker_threads";
import { afterEach, expect, test, vi } from "vitest";
import { ThreadStarter } from "./thread-starter.ts";

const PATIENCE = { timeout: 20_000, interval: 10 };
const starters: ThreadStarter[] = [];

afterEach(async () => {
  await Promise.all(starters.splice(0).map((starter) => starter.close()));
});

/** How many threads have been loaded. */
let loaded: Int32Array;

function starterOf(script: string): ThreadStarter {
  const entry = new URL(`data:text/javascript,${encodeURIComponent(script)}`);
  loaded = new Int32Array(new SharedArrayBuffer(4));
  const starter = new ThreadStarter({ entry, name: "test", preparation: loaded });
  starters.push(starter);
  return starter;
}

/** Threads that answer with what they got to do and with their place in the order of loading. */
const echo = `
  import { parentPort, workerData } from "node:worker_threads";
  const place = Atomics.add(workerData, 0, 1);
  parentPort.once("message", (work) => parentPort.postMessage({ work, place }));
`;

async function answerOf(worker: Worker): Promise<unknown> {
  const [answer] = await once(worker, "message");
  return answer;
}

test("the next thread is loaded before it is asked for, and another one takes its place", async () => {
  const starter = starterOf(echo);
  expect(await answerOf(starter.start("first", []))).toEqual({ work: "first", place: 0 });
  await vi.waitFor(() => expect([loaded[0], starter.hasSpare]).toEqual([2, true]), PATIENCE);
  const second = starter.start("second", []);
  expect([loaded[0], starter.hasSpare]).toEqual([2, false]);
  expect(await answerOf(second)).toEqual({ work: "second", place: 1 });
  await vi.waitFor(() => expect([loaded[0], starter.hasSpare]).toEqual([3, true]), PATIENCE);
});

test("a spare thread that cannot be loaded is forgotten, and the start says what is wrong", async () => {
  const starter = starterOf("throw new Error('not today')");
  const [first] = (await once(starter.start(1, []), "error")) as [Error];
  expect(first.message).toBe("not today");
  const second = starter.start(2, []);
  await expect(once(second, "message")).rejects.toThrow("not today");
});

test("none is kept after close", async () => {
  const starter = starterOf(echo);
  await answerOf(starter.start(1, []));
  await starter.close();
  await answerOf(starter.start(2, []));
  expect(starter.hasSpare).toBe(false);
});
