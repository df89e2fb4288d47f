// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { FilterChain } from "./filter-chain.ts";
import type { RunnableFilter } from "./filter-options.ts";
import { scriptPlan } from "./testdata/script-filter.ts";
import { MemoryBatch } from "./testing/memory-batch.ts";
import { MemoryEnvironment } from "./testing/memory-environment.ts";

const NS_PER_MS = 1e6;
const START_MS = 1_000;

/** Writes its number into the first byte of each datagram, and keeps a count of them for each session. */
const version = (number: number, more = ""): Promise<RunnableFilter> =>
  scriptPlan(`
    const seen = new Map();
    ${more.includes("wants") ? "" : "export const wants = { drainMs: 5000 };"}
    export function onSession(session) {
      const kept = msm.property("msm.session.resumed") === "\\u0001" && msm.property("filter_state.seen");
      if (kept) seen.set(session, Number(kept));
    }
    export function onHandOver(session) {
      msm.setProperty("seen", String(seen.get(session) ?? 0));
    }
    export function onDatagrams(batch) {
      for (const datagram of batch) {
        const count = (seen.get(datagram.session) ?? 0) + 1;
        seen.set(datagram.session, count);
        if (datagram.u8(0) === 66) throw new Error("cannot");
        datagram.setU8(0, ${number});
        datagram.setU8(1, count);
      }
    }
    ${more}`);

class Scene {
  readonly env = new MemoryEnvironment();
  chain: FilterChain;
  readonly #open = new Set<number>();

  constructor(plan: RunnableFilter) {
    this.chain = FilterChain.create([plan], this.env);
  }

  static session(index: number) {
    const addresses = { client: "192.0.2.1:1", endpoint: "192.0.2.2:2", local: "192.0.2.3:3" };
    return { index, ...addresses, resumed: false };
  }

  open(index: number): void {
    this.#open.add(index);
    this.chain.openSession(Scene.session(index));
  }

  close(index: number): void {
    this.#open.delete(index);
    this.chain.closeSession(index);
  }

  replace(plan: RunnableFilter): void {
    this.chain = this.chain.replace([plan], [...this.#open].map(Scene.session));
  }

  /** The two bytes that come out for a datagram of each session, in one batch; null where it does not come out. */
  run(sessions: readonly number[], first = 0, atMs = START_MS): (number[] | null)[] {
    const batch = new MemoryBatch();
    batch.stage(sessions.map((session) => ({ payload: Uint8Array.of(first, 0), session })));
    this.chain.run(batch, 0, batch.count, false, atMs * NS_PER_MS);
    return sessions.map((_, i) => (batch.action(i) === 0 ? [...batch.payload(i)] : null));
  }

  get rollbacks(): number {
    return this.env.value("msm_filter_rollbacks_total");
  }
}

test("sessions stay with the version that they began with, and new ones meet the new one", async () => {
  const scene = new Scene(await version(1));
  scene.open(1);
  scene.open(2);
  scene.replace(await version(2));
  scene.open(3);
  expect(scene.run([1, 3, 2, 1])).toEqual([
    [1, 1],
    [2, 1],
    [1, 1],
    [1, 2],
  ]);
});

test("after the time that it asked for, the old version hands its sessions over with what it knows", async () => {
  const scene = new Scene(await version(1));
  scene.open(1);
  scene.run([1, 1, 1]);
  scene.replace(await version(2));
  expect(scene.chain.nextMs).toBe(START_MS + 5_000);
  scene.chain.tick(START_MS + 4_999);
  expect(scene.run([1], 0, START_MS + 4_999)).toEqual([[1, 4]]);
  scene.chain.tick(START_MS + 5_000);
  expect(scene.run([1], 0, START_MS + 5_000)).toEqual([[2, 5]]);
});

test("a version whose sessions are over goes, and its memory with it", async () => {
  const scene = new Scene(await version(1));
  scene.open(1);
  const one = scene.chain.memoryBytes;
  scene.replace(await version(2));
  expect(scene.chain.memoryBytes).toBe(2 * one);
  scene.close(1);
  expect(scene.chain.memoryBytes).toBe(one);
});

test("versions are bounded: the oldest hands over early", async () => {
  const scene = new Scene(await version(1));
  for (let number = 2; number <= 6; number++) {
    scene.open(number);
    scene.replace(await version(number));
  }
  // Of five before the newest three are kept; the first two handed over when there were too many.
  expect(scene.run([2, 3, 4, 5, 6]).map((bytes) => bytes?.[0])).toEqual([5, 6, 3, 4, 5]);
});

test("a version that does not start is taken back, and no session notices", async () => {
  const scene = new Scene(await version(1));
  scene.open(1);
  scene.replace(await version(2, `export function configure() { throw new Error("no"); }`));
  scene.open(2);
  expect(scene.run([1, 2])).toEqual([
    [1, 1],
    [1, 1],
  ]);
  expect(scene.rollbacks).toBe(1);
  expect(scene.env.logs.at(-1)?.message).toContain("taken back: it did not start");
});

test("a version that fails while there is one before it is taken back", async () => {
  const scene = new Scene(await version(1));
  scene.open(1);
  scene.replace(await version(2));
  scene.open(2);
  expect(scene.run([2], 66)).toEqual([null]);
  expect(scene.run([1, 2])).toEqual([
    [1, 1],
    [1, 1],
  ]);
  expect(scene.rollbacks).toBe(1);
});

test("an old version that fails harms its own sessions alone", async () => {
  const scene = new Scene(await version(1));
  scene.open(1);
  scene.replace(await version(2));
  scene.open(2);
  expect(scene.run([1], 66)).toEqual([null]);
  expect(scene.run([2])).toEqual([[2, 1]]);
});

test("no datagram is lost over a hundred versions under way", async () => {
  const plans = await Promise.all([1, 2].map((number) => version(number)));
  const scene = new Scene(plans[0]!);
  for (let i = 1; i <= 100; i++) {
    scene.open(i);
    scene.replace(plans[i % 2]!);
    if (i > 10) scene.close(i - 10);
    const sessions = Array.from({ length: 10 }, (_, k) => i - k).filter((index) => index > 0);
    expect(scene.run(sessions)).not.toContain(null);
    scene.chain.tick(START_MS + i);
  }
});
