// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { expect, test } from "vitest";
import { Action, Word } from "../datapath/batch.ts";
import { FilterChain } from "./filter-chain.ts";
import type { RunnableFilter } from "./filter-options.ts";
import { forEachDescriptor, type WatParts, watPlan } from "./testdata/wat-filter.ts";
import { MemoryBatch } from "./testing/memory-batch.ts";
import { MemoryEnvironment } from "./testing/memory-environment.ts";
import { takeOutgoing } from "./testing/take-outgoing.ts";

const NS_PER_MS = 1_000_000;
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** A chain with session 1 open, in an environment that sends. */
function chainOf(...plans: readonly RunnableFilter[]): { chain: FilterChain; env: MemoryEnvironment } {
  const env = new MemoryEnvironment();
  const chain = FilterChain.create(plans, env);
  for (const index of [1, 2]) {
    chain.openSession({
      index,
      client: "192.0.2.1:1",
      endpoint: "192.0.2.2:2",
      local: "192.0.2.3:3",
      resumed: false,
    });
  }
  return { chain, env };
}

interface Traffic {
  readonly upstream?: boolean;
  readonly atMs?: number;
  readonly session?: number;
}

function send(chain: FilterChain, payloads: readonly Uint8Array[], traffic: Traffic = {}): MemoryBatch {
  const { upstream = false, atMs = 1_000, session = 1 } = traffic;
  const batch = new MemoryBatch();
  batch.stage(payloads.map((payload) => ({ payload, session, upstream })));
  chain.run(batch, 0, batch.count, upstream, atMs * NS_PER_MS);
  return batch;
}

const actions = (batch: MemoryBatch): number[] =>
  Array.from({ length: batch.count }, (_, i) => batch.action(i));

const describeEmit = (capacity: number, slotBytes = 0, window = 0): string => `
  (func (export "msm_describe") (param $out i32) (param i32) (result i32)
    (i32.store offset=8 (local.get $out) (i32.const ${window}))
    (i32.store offset=16 (local.get $out) (i32.const ${capacity}))
    (i32.store offset=24 (local.get $out) (i32.const ${slotBytes})) (i32.const 0))`;

/** Adds one datagram of one byte, 99, to the session of the first. `more` may change the descriptor `$e`. */
const emitOne = (more = "", emitted = 1): string => `(local $e i32) (local $d i32)
  (local.set $d (i32.load offset=16 (local.get $batch)))
  (local.set $e (i32.add (local.get $d) (i32.shl (i32.load offset=8 (local.get $batch)) (i32.const 6))))
  (i32.store8 (i32.load (local.get $e)) (i32.const 99))
  (i32.store16 offset=4 (local.get $e) (i32.const 1))
  (i32.store offset=8 (local.get $e) (i32.load offset=8 (local.get $d)))
  ${more}
  (i32.store offset=48 (local.get $batch) (i32.const ${emitted}))`;

/** A filter whose `msm_on_datagrams` is all its own. */
const emitter = (body: string, capacity = 4): WatParts => ({
  onDatagrams: "(call $emit (local.get $batch))",
  more: `(func $emit (param $batch i32) ${body}) ${describeEmit(capacity)}`,
});

const appendDigit = (digit: number): WatParts => ({
  onDatagrams: forEachDescriptor(`(i32.store offset=40 (local.get $d)
    (i32.add (i32.mul (i32.load offset=40 (local.get $d)) (i32.const 10)) (i32.const ${digit})))`),
});

const setAction = (action: number): WatParts => ({
  onDatagrams: forEachDescriptor(`(i32.store8 offset=24 (local.get $d) (i32.const ${action}))`),
});

test("an emitted datagram passes the filters behind, and no others, and leaves", async () => {
  const plans = [
    await watPlan(appendDigit(1)),
    await watPlan(emitter(emitOne())),
    await watPlan(appendDigit(2)),
  ];
  const { chain } = chainOf(...plans);
  const batch = send(chain, [bytes(5)]);
  expect([batch.action(0), batch.word(0, Word.mark)]).toEqual([Action.Continue, 12]);
  expect(takeOutgoing(chain)).toEqual([{ payload: bytes(99), session: 1, toClient: false, mark: 2 }]);
  expect(takeOutgoing(chain)).toEqual([]);
});

test("a datagram emitted to the client takes the other way", async () => {
  const toClient = emitOne("(i32.store16 offset=12 (local.get $e) (i32.const 1))");
  const plans = [
    await watPlan(appendDigit(1)),
    await watPlan(emitter(toClient)),
    await watPlan(appendDigit(2)),
  ];
  const { chain } = chainOf(...plans);
  send(chain, [bytes(5)]);
  expect(takeOutgoing(chain)).toEqual([{ payload: bytes(99), session: 1, toClient: true, mark: 1 }]);
});

test("what a filter emits, a filter behind may drop", async () => {
  const { chain } = chainOf(await watPlan(emitter(emitOne())), await watPlan(setAction(Action.Drop)));
  send(chain, [bytes(5)]);
  expect(takeOutgoing(chain)).toEqual([]);
});

test.each([
  ["more datagrams than it asked for", emitOne("", 5)],
  ["a datagram beyond its slot", emitOne("(i32.store16 offset=4 (local.get $e) (i32.const 2049))")],
  ["a datagram from elsewhere in its memory", emitOne("(i32.store (local.get $e) (i32.const 64))")],
  ["a datagram from the end of memory", emitOne("(i32.store (local.get $e) (i32.const -1))")],
  [
    "a datagram of a session that there is not",
    emitOne("(i32.store offset=8 (local.get $e) (i32.const 77))"),
  ],
  ["a datagram of the plugin's context", emitOne("(i32.store offset=8 (local.get $e) (i32.const 1))")],
  ["a datagram that is dropped", emitOne("(i32.store8 offset=24 (local.get $e) (i32.const 2))")],
])("a filter that emits %s has failed, and nothing leaves", async (_, body) => {
  const { chain, env } = chainOf(await watPlan(emitter(body)));
  send(chain, [bytes(5)]);
  expect(env.value('msm_filter_failures_total{kind="bad_output"}')).toBe(1);
  expect(takeOutgoing(chain)).toEqual([]);
});

test("whatever a filter writes into the room for its datagrams, it leaves as said or the filter has failed", async () => {
  const write = fc.tuple(fc.nat(63), fc.integer());
  const plan = await watPlan(emitter("", 2));
  await fc.assert(
    fc.asyncProperty(fc.array(write, { maxLength: 8 }), fc.nat(3), async (writes, emitted) => {
      const stores = writes
        .map(([at, value]) => `(i32.store offset=${at} (local.get $e) (i32.const ${value}))`)
        .join("\n");
      const { chain } = chainOf({
        ...(await watPlan(emitter(emitOne(stores, emitted), 2))),
        name: plan.name,
      });
      send(chain, [bytes(5)]);
      for (const { session, payload } of takeOutgoing(chain)) {
        expect([1, 2]).toContain(session);
        expect(payload.length).toBeLessThanOrEqual(2_048);
      }
    }),
    { numRuns: 60 },
  );
});

test("a reply goes back by the filters that it came through, with what the filter wrote", async () => {
  const onDatagrams = forEachDescriptor(`(i32.store8 (i32.load (local.get $d)) (i32.const 7))
    (i32.store16 offset=12 (local.get $d) (i32.const 0x100)) (i32.store8 offset=24 (local.get $d) (i32.const 4))`);
  const plans = [
    await watPlan(appendDigit(1)),
    await watPlan({ onDatagrams }),
    await watPlan(appendDigit(3)),
  ];
  const { chain } = chainOf(...plans);
  expect(actions(send(chain, [bytes(5, 6)]))).toEqual([Action.Consume]);
  expect(takeOutgoing(chain)).toEqual([{ payload: bytes(7, 6), session: 1, toClient: true, mark: 11 }]);
  send(chain, [bytes(5, 6)], { upstream: true });
  expect(takeOutgoing(chain)).toEqual([{ payload: bytes(7, 6), session: 1, toClient: false, mark: 33 }]);
});

test("a datagram that two filters send back and forth is given up and counted", async () => {
  const onDatagrams = forEachDescriptor(`(if (i32.and (i32.load16_u offset=12 (local.get $d)) (i32.const 1))
    (then (i32.store8 offset=24 (local.get $d) (i32.const 4))))`);
  const { chain, env } = chainOf(await watPlan({ onDatagrams }), await watPlan(setAction(Action.Reply)));
  send(chain, [bytes(5)]);
  expect(takeOutgoing(chain)).toEqual([]);
  expect(env.value("msm_filter_outgoing_lost_total")).toBe(1);
});

const CONTINUE = '(import "env" "proxy_continue_stream" (func $continue (param i32) (result i32)))';
const EFFECTIVE = '(import "env" "proxy_set_effective_context" (func $context (param i32) (result i32)))';

/** Pauses what begins with less than 100; anything else continues its session from the client and passes. */
const gate: WatParts = {
  imports: `${CONTINUE} ${EFFECTIVE}`,
  onDatagrams: forEachDescriptor(`(if (i32.lt_u (i32.load8_u (i32.load (local.get $d))) (i32.const 100))
    (then (i32.store8 offset=24 (local.get $d) (i32.const 1)))
    (else (drop (call $context (i32.load offset=8 (local.get $d)))) (drop (call $continue (i32.const 2)))))`),
};

test("paused datagrams go on, in their order, when the filter continues their session", async () => {
  const { chain } = chainOf(
    await watPlan(appendDigit(1)),
    await watPlan(gate),
    await watPlan(appendDigit(2)),
  );
  send(chain, [bytes(5), bytes(6)]);
  send(chain, [bytes(7)], { session: 2 });
  expect(takeOutgoing(chain)).toEqual([]);
  expect(actions(send(chain, [bytes(100)]))).toEqual([Action.Continue]);
  expect(takeOutgoing(chain).map(({ payload, session, mark }) => [payload[0], session, mark])).toEqual([
    [5, 1, 12],
    [6, 1, 12],
  ]);
});

test("at most 64 datagrams of a session are paused; the oldest make room and are counted", async () => {
  const { chain, env } = chainOf(await watPlan(gate));
  for (let i = 0; i < 70; i++) send(chain, [bytes(i)]);
  send(chain, [bytes(100)]);
  expect(takeOutgoing(chain).map((sent) => sent.payload[0])).toEqual(
    Array.from({ length: 64 }, (_, i) => i + 6),
  );
  expect(env.value("msm_filter_outgoing_lost_total")).toBe(6);
});

test("closing a session drops what is paused of it", async () => {
  const { chain } = chainOf(await watPlan(gate));
  send(chain, [bytes(5)]);
  chain.closeSession(1);
  chain.openSession({ index: 1, client: "", endpoint: "", local: "", resumed: false });
  send(chain, [bytes(100)]);
  expect(takeOutgoing(chain)).toEqual([]);
});

test.each([
  ["FAIL_OPEN", 1],
  ["FAIL_CLOSED", 0],
] as const)(
  "what a filter under %s had paused when it broke is sent %i times",
  async (failurePolicy, times) => {
    const onDatagrams = `${gate.onDatagrams} (if (i32.eq (i32.const 9)
    (i32.load8_u (i32.load (i32.load offset=16 (local.get $batch))))) (then (unreachable)))`;
    const { chain } = chainOf(await watPlan({ ...gate, onDatagrams }, { failurePolicy }));
    send(chain, [bytes(5)]);
    send(chain, [bytes(9)]);
    expect(takeOutgoing(chain)).toHaveLength(times);
  },
);

/** Sends datagrams so many milliseconds after the batch as their first byte says. */
const pacer: WatParts = {
  onDatagrams: forEachDescriptor(`
    (i64.store offset=32 (local.get $d) (i64.add (i64.load offset=32 (local.get $batch))
      (i64.mul (i64.const 1000000) (i64.load8_u (i32.load (local.get $d))))))
    (i32.store16 offset=12 (local.get $d) (i32.const 0x400))`),
};

test("a paced datagram is held until its time, in the order of times, and passes the filters behind at once", async () => {
  const { chain } = chainOf(await watPlan(pacer), await watPlan(appendDigit(2)));
  const batch = send(chain, [bytes(20), bytes(0), bytes(10), bytes(20, 1)]);
  expect(actions(batch)).toEqual([Action.Consume, Action.Continue, Action.Consume, Action.Consume]);
  expect(chain.nextMs).toBe(1_010);
  expect(chain.tick(1_009)).toBeCloseTo(1);
  expect(takeOutgoing(chain)).toEqual([]);
  expect(chain.tick(1_010)).toBeCloseTo(10);
  expect(takeOutgoing(chain).map((sent) => sent.payload)).toEqual([bytes(10)]);
  expect(chain.tick(1_025)).toBe(Number.POSITIVE_INFINITY);
  expect(takeOutgoing(chain)).toMatchObject([
    { payload: bytes(20), mark: 2 },
    { payload: bytes(20, 1), mark: 2 },
  ]);
});

test("a filter that paces far more than there is room for loses no more than pacing", async () => {
  const { chain } = chainOf(await watPlan(pacer));
  let inTime = 0;
  for (let i = 0; i < 40; i++) {
    const batch = send(
      chain,
      Array.from({ length: 64 }, () => bytes(200)),
    );
    inTime += actions(batch).filter((action) => action === Action.Continue).length;
  }
  chain.tick(1_200);
  expect(inTime + takeOutgoing(chain).length).toBe(40 * 64);
});

test("a filter asks for the end of a session, and the worker hears of it once", async () => {
  const imports = `(import "env" "proxy_close_stream" (func $close (param i32) (result i32))) ${EFFECTIVE}`;
  const onDatagrams = forEachDescriptor(
    "(drop (call $context (i32.load offset=8 (local.get $d)))) (drop (call $close (i32.const 2)))",
  );
  const { chain } = chainOf(await watPlan({ imports, onDatagrams }));
  send(chain, [bytes(1), bytes(2)]);
  expect([chain.takeCloseRequests(), chain.takeCloseRequests()]).toEqual([[1], []]);
});

test("datagrams that are held outlive a new configuration of the chain", async () => {
  const { chain } = chainOf(await watPlan(pacer));
  send(chain, [bytes(10)]);
  const next = chain.replace([], []);
  next.tick(1_010);
  expect(takeOutgoing(next).map((sent) => sent.payload)).toEqual([bytes(10)]);
});
