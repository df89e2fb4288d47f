// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { Action, Flag, Word } from "../datapath/batch.ts";
import { ADDRESS_BYTES, AddressField, Stage } from "./abi.ts";
import { checkFilter } from "./check-filter.ts";
import { FilterChain } from "./filter-chain.ts";
import type { RunnableFilter } from "./filter-options.ts";
import { forEachDescriptor, type WatParts, watPlan } from "./testdata/wat-filter.ts";
import { MemoryBatch, type StagedDatagram } from "./testing/memory-batch.ts";
import { MemoryEnvironment } from "./testing/memory-environment.ts";
import { takeOutgoing } from "./testing/take-outgoing.ts";

const ADDRESSES = { client: "192.0.2.1:1", endpoint: "192.0.2.2:2", local: "192.0.2.3:3" };

const describeStages = (stages: number, emitCapacity = 0): string => `
  (func (export "msm_describe") (param $out i32) (param i32) (result i32)
    (i32.store offset=4 (local.get $out) (i32.const ${stages}))
    (i32.store offset=16 (local.get $out) (i32.const ${emitCapacity})) (i32.const 0))`;

const setFlag = (flag: number): string => `(i32.store16 offset=12 (local.get $d) (i32.const ${flag}))`;
const setTarget = (target: number): string => `(i32.store offset=28 (local.get $d) (i32.const ${target}))`;

/** Resolves one target, 1, when it is configured: the name at address 0. */
const withTarget = (name: string, parts: WatParts): WatParts => ({
  ...parts,
  imports: '(import "env" "msm_resolve_target" (func $resolve (param i32 i32 i32 i32) (result i32)))',
  onConfigure: `(i32.eqz (call $resolve (i32.const 1) (i32.const 0) (i32.const ${name.length}) (i32.const 64)))`,
  more: `(data (i32.const 0) "${name}") ${parts.more ?? ""}`,
});

/** A chain at a stage, with what it counted and logged. */
function at(stage: number, ...plans: readonly RunnableFilter[]) {
  const env = new MemoryEnvironment("test", true, stage);
  return { env, chain: FilterChain.create(plans, env) };
}

function run(chain: FilterChain, datagrams: readonly StagedDatagram[]): MemoryBatch {
  const batch = new MemoryBatch();
  batch.stage(datagrams);
  chain.run(batch, 0, batch.count, false, 1e9);
  return batch;
}

const payload = Uint8Array.of(5);

test.each([
  [0, Stage.Session],
  [Stage.Listener, Stage.Listener],
  [Stage.Session | Stage.Egress, Stage.Session | Stage.Egress],
])("a filter that describes stages %i is found to run at %i", async (described, found) => {
  const plan = await watPlan({ more: describeStages(described) });
  expect(checkFilter(plan, "code")).toBe(found);
});

test("a filter that wants a stage that there is not is refused", async () => {
  const plan = await watPlan({ more: describeStages(8) });
  expect(() => checkFilter(plan, "code")).toThrow(/stages 8: there are LISTENER 1, SESSION 2, EGRESS 4/);
});

test("a filter does not start at a stage that it did not name", async () => {
  const { chain, env } = at(Stage.Egress, await watPlan({ more: describeStages(Stage.Listener) }));
  expect(chain.failed).toEqual(["wat"]);
  expect(env.logs.at(-1)?.message).toContain("it runs at stages LISTENER, not at EGRESS");
});

test("at LISTENER a filter sees where each datagram comes from and where it was sent to", async () => {
  // Copies the first datagram's addresses into its payload.
  const onDatagrams = `(local.set $d (i32.load offset=16 (local.get $batch)))
    (memory.copy (i32.load (local.get $d)) (i32.load offset=44 (local.get $d)) (i32.const ${ADDRESS_BYTES}))
    ${setFlag(Flag.Dirty)}`;
  const { chain } = at(Stage.Listener, await watPlan({ onDatagrams, more: describeStages(Stage.Listener) }));
  const room = new Uint8Array(ADDRESS_BYTES);
  const version4 = run(chain, [{ payload: room, source: { address: "192.0.2.7", port: 40_000 } }]).payload(0);
  const view = new DataView(version4.buffer);
  expect([version4[AddressField.family], view.getUint16(AddressField.sport, true)]).toEqual([4, 40_000]);
  expect([...version4.subarray(AddressField.src, AddressField.dst)]).toEqual([
    192,
    0,
    2,
    7,
    ...new Array(12).fill(0),
  ]);
  expect(view.getUint16(AddressField.dport, true)).toBe(5_004);
  expect([...version4.subarray(AddressField.dst, AddressField.dst + 4)]).toEqual([203, 0, 113, 1]);

  const version6 = run(chain, [{ payload: room, source: { address: "2001:db8::1", port: 9 } }]).payload(0);
  expect(version6[AddressField.family]).toBe(6);
  expect([...version6.subarray(AddressField.src, AddressField.dst)]).toEqual([
    0x20,
    1,
    0x0d,
    0xb8,
    ...new Array(11).fill(0),
    1,
  ]);
});

test("behind LISTENER the addresses are 0", async () => {
  const onDatagrams = forEachDescriptor("(if (i32.load offset=44 (local.get $d)) (then (unreachable)))");
  const { chain } = at(Stage.Session, await watPlan({ onDatagrams }));
  run(chain, [{ payload, source: { address: "192.0.2.7", port: 40_000 } }]);
  expect(chain.failed).toEqual([]);
});

test("at LISTENER a key, a target and an answer stay in the batch for whoever looks for sessions", async () => {
  const onDatagrams = forEachDescriptor(`(if (i32.eqz (local.get $i)) (then
      ${setFlag(Flag.SetKey | Flag.Retarget)} ${setTarget(1)} (i64.store offset=48 (local.get $d) (i64.const 0x700000005)))
    (else (i32.store8 offset=24 (local.get $d) (i32.const ${Action.Reply}))))`);
  const parts = withTarget("server", { onDatagrams, more: describeStages(Stage.Listener) });
  const { chain } = at(Stage.Listener, await watPlan(parts));
  const batch = run(chain, [{ payload }, { payload }]);
  expect([batch.action(0), batch.action(1)]).toEqual([Action.Continue, Action.Reply]);
  expect([batch.word(0, Word.userLow), batch.word(0, Word.userHigh)]).toEqual([5, 7]);
  expect(chain.target(batch.word(0, Word.target))).toEqual({ kind: "cluster", name: "server" });
  expect(batch.word(0, Word.flags) & (Flag.SetKey | Flag.Retarget)).toBe(Flag.SetKey | Flag.Retarget);
  expect(chain.outgoing).toBeNull();
});

test.each([
  ["pauses", "(i32.store8 offset=24 (local.get $d) (i32.const 1))"],
  ["paces", `(i64.store offset=32 (local.get $d) (i64.const 1)) ${setFlag(Flag.TxTime)}`],
])("a filter that %s at LISTENER, where nothing is kept, has failed", async (_, store) => {
  const onDatagrams = forEachDescriptor(store);
  const { chain, env } = at(
    Stage.Listener,
    await watPlan({ onDatagrams, more: describeStages(Stage.Listener) }),
  );
  run(chain, [{ payload }]);
  expect(env.value('msm_filter_failures_total{kind="unsupported_action"}')).toBe(1);
});

test("a filter that emits elsewhere finds no room for it at LISTENER", async () => {
  const onDatagrams = `(if (i32.ne (i32.load offset=8 (local.get $batch)) (i32.const 64))
    (then (unreachable))) (if (i32.ne (i32.load offset=12 (local.get $batch)) (i32.const 64)) (then (unreachable)))`;
  const more = describeStages(Stage.Listener | Stage.Session, 16);
  const { chain } = at(Stage.Listener, await watPlan({ onDatagrams, more }));
  run(
    chain,
    Array.from({ length: 64 }, () => ({ payload })),
  );
  expect(chain.failed).toEqual([]);
});

test("a retargeted datagram passes the filters behind and leaves to its target, not to its session", async () => {
  const mark = (digit: number): WatParts => ({
    onDatagrams: forEachDescriptor(`(i32.store offset=40 (local.get $d)
      (i32.add (i32.mul (i32.load offset=40 (local.get $d)) (i32.const 10)) (i32.const ${digit})))`),
  });
  const retarget = withTarget("spare", {
    onDatagrams: forEachDescriptor(`${setFlag(Flag.Retarget)} ${setTarget(1)}`),
  });
  const { chain } = at(
    Stage.Session,
    await watPlan(mark(1)),
    await watPlan(retarget),
    await watPlan(mark(2)),
  );
  chain.openSession({ index: 1, ...ADDRESSES, resumed: false });
  const batch = run(chain, [{ payload, session: 1 }]);
  expect(batch.action(0)).toBe(Action.Consume);
  expect(takeOutgoing(chain)).toEqual([{ payload, session: 1, toClient: false, mark: 12, target: "spare" }]);
});

test("a retargeted datagram that a filter behind answers goes back to its client", async () => {
  const retarget = withTarget("spare", {
    onDatagrams: forEachDescriptor(`${setFlag(Flag.Retarget)} ${setTarget(1)}`),
  });
  const reply: WatParts = {
    onDatagrams: forEachDescriptor(`(i32.store8 offset=24 (local.get $d) (i32.const ${Action.Reply}))`),
  };
  const { chain } = at(Stage.Session, await watPlan(reply), await watPlan(retarget), await watPlan(reply));
  chain.openSession({ index: 1, ...ADDRESSES, resumed: false });
  const direct = at(Stage.Session, await watPlan(retarget), await watPlan(reply)).chain;
  direct.openSession({ index: 1, ...ADDRESSES, resumed: false });
  run(chain, [{ payload, session: 1 }]);
  expect(takeOutgoing(chain)).toMatchObject([{ session: 1, toClient: true }]);
  run(direct, [{ payload, session: 1 }]);
  // On its way back it is retargeted again, as every datagram is that this filter sees.
  expect(takeOutgoing(direct)).toMatchObject([{ session: 1, target: "spare" }]);
});
