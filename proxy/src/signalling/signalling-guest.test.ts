// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { create } from "@msm/xds-protos";
import { FlowEvent_Kind, FlowEventSchema } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { beforeEach, expect, test } from "vitest";
import type { RunnableFilter } from "../wasm/index.ts";
import { MemoryEnvironment } from "../wasm/testing/memory-environment.ts";
import { SignallingGuest } from "./signalling-guest.ts";
import { type SignallingParts, signallingPlan, testOptions } from "./testdata/wat-signalling.ts";
import { MemoryWorld } from "./testing/memory-world.ts";

const PEERS = { local: "192.0.2.2:554", remote: "192.0.2.1:4000" };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Logs one letter for each callback, so that tests see their order. */
const say = (letter: string): string => `(i32.store8 (i32.const 64) (i32.const ${letter.charCodeAt(0)}))
  (drop (call $log (i32.const 2) (i32.const 64) (i32.const 1)))`;

let env: MemoryEnvironment;
let world: MemoryWorld;

beforeEach(() => {
  env = new MemoryEnvironment();
  world = new MemoryWorld();
});

async function start(parts: SignallingParts = {}, changes: Partial<RunnableFilter> = {}) {
  return new SignallingGuest(await signallingPlan(parts, changes), env, world, testOptions);
}

const said = (): string => env.logs.map(({ message }) => message).join("");

test("a filter reads what a client sends, answers it, and closes when the client is done", async () => {
  const guest = await start();
  const context = guest.openConnection(1, PEERS);
  expect(guest.data(context, bytes("hello"), false)).toBe(true);
  expect(world.takeText(context)).toBe("hello");
  guest.data(context, bytes(""), true);
  expect(world.closed).toEqual([{ context, how: "flush" }]);
  guest.connectionClosed(context, "local");
  expect(guest.peerCount).toBe(0);
  expect(guest.openConnection(2, PEERS)).toBe(context);
});

test("callbacks of a connection come in Proxy-Wasm's order", async () => {
  const guest = await start({
    more: `
      (func (export "proxy_on_context_create") (param i32 i32) (if (local.get 1) (then ${say("c")})))
      (func (export "proxy_on_new_connection") (param i32) (result i32) ${say("n")} (i32.const 0))
      (func (export "proxy_on_downstream_connection_close") (param i32 i32)
        (i32.store8 (i32.const 64) (i32.add (i32.const 48) (local.get 1)))
        (drop (call $log (i32.const 2) (i32.const 64) (i32.const 1))))
      (func (export "proxy_on_done") (param i32) (result i32) ${say("d")} (i32.const 1))
      (func (export "proxy_on_log") (param i32) ${say("l")})
      (func (export "proxy_on_delete") (param i32) ${say("x")})`,
  });
  guest.connectionClosed(guest.openConnection(1, PEERS), "remote");
  expect(said()).toBe("cn2dlx");
});

test("a filter that pauses a connection is not shown more until it goes on", async () => {
  const guest = await start({
    imports: `(import "env" "proxy_continue_stream" (func $go (param i32) (result i32)))
      (import "env" "msm_set_timer" (func $timer (param i32 i32 i64 i64) (result i32)))`,
    onData: `(drop (call $timer (local.get $context) (i32.const 1) (i64.const 5000) (i64.const 0))) (i32.const 1)`,
    more: `(func (export "msm_on_timer") (param i32 i32 i32) (drop (call $go (i32.const 2))))`,
  });
  const context = guest.openConnection(1, PEERS);
  expect(guest.data(context, bytes("x"), false)).toBe(false);
  expect(guest.nextDelayMs()).toBe(5);
  env.nowNs += 4_000_000n;
  expect(guest.tick()).toBe(1);
  expect(world.resumed).toEqual([]);
  env.nowNs += 1_000_000n;
  expect(guest.tick()).toBe(Number.POSITIVE_INFINITY);
  expect(world.resumed).toEqual([context]);
});

test("a stream is told of from its connecting to its end, and data of both sides are told apart", async () => {
  const target = '{"cluster":"cams"}';
  const guest = await start({
    imports: `(import "env" "msm_stream_connect" (func $connect (param i32 i32 i32) (result i32)))
      (import "env" "msm_stream_write" (func $write (param i32 i32 i32) (result i32)))`,
    onData: `(drop (call $connect (i32.const 128) (i32.const ${target.length}) (i32.const 60))) (i32.const 0)`,
    more: `(data (i32.const 128) "${target.replaceAll('"', "\\22")}")
      (func (export "msm_on_stream") (param i32 i32)
        (i32.store8 (i32.const 64) (i32.add (i32.const 48) (local.get 1)))
        (drop (call $log (i32.const 2) (i32.const 64) (i32.const 1))))
      (func (export "proxy_on_upstream_data") (param i32 i32 i32) (result i32)
        (drop (call $read (i32.const 3) (i32.const 0) (local.get 1) (i32.const 65536)))
        (drop (call $write (local.get 0) (i32.const 65536) (local.get 1)))
        (i32.const 0))`,
  });
  guest.data(guest.openConnection(1, PEERS), bytes("go"), false);
  const [stream] = world.streams;
  const context = stream?.context ?? 0;
  guest.streamConnected(context, PEERS);
  guest.data(context, bytes("from the server"), false);
  expect(world.takeText(context)).toBe("from the server");
  guest.writable(context);
  guest.streamClosed(context);
  guest.writable(context);
  expect(said()).toBe("134");
  expect(guest.peerCount).toBe(1);
});

test("flows are told of, and one that never came to be is gone", async () => {
  const guest = await start({
    imports: `(import "env" "msm_open_flow" (func $open (param i32 i32 i32) (result i32)))`,
    onData: `(drop (call $open (i32.const 128) (i32.const 2) (i32.const 60))) (i32.const 0)`,
    more: `(data (i32.const 128) "{}")
      (func (export "msm_on_flow") (param i32 i32 i32)
        (i32.store8 (i32.const 64) (i32.add (i32.const 48) (local.get 2)))
        (drop (call $log (i32.const 2) (i32.const 64) (i32.const 1))))`,
  });
  const context = guest.openConnection(1, PEERS);
  guest.data(context, bytes("x"), false);
  guest.data(context, bytes("x"), false);
  const [first = 0, second = 0] = world.flows.keys();
  const event = (kind: FlowEvent_Kind) => create(FlowEventSchema, { kind });
  guest.flowEvent(first, event(FlowEvent_Kind.FAILED));
  guest.flowEvent(first, event(FlowEvent_Kind.OPENED));
  guest.flowEvent(second, event(FlowEvent_Kind.OPENED));
  guest.flowEvent(second, event(FlowEvent_Kind.FAILED));
  guest.flowEvent(second, event(FlowEvent_Kind.CLOSED));
  guest.flowEvent(second, event(FlowEvent_Kind.IDLE));
  expect(said()).toBe("2125");
});

test("a filter that does not come back is stopped by its fuel", async () => {
  const guest = await start({ onData: "(loop $again (br $again)) (i32.const 0)" });
  const context = guest.openConnection(1, PEERS);
  expect(() => guest.data(context, bytes("x"), false)).toThrow(
    expect.objectContaining({ name: "FilterFailure", kind: "overrun" }),
  );
});

test("traps and actions that there are not end the instance", async () => {
  const trapping = await start({ onData: "unreachable" });
  expect(() => trapping.data(trapping.openConnection(1, PEERS), bytes("x"), false)).toThrow(
    expect.objectContaining({ kind: "trap" }),
  );
  const strange = await start({ onData: "(i32.const 7)" });
  expect(() => strange.data(strange.openConnection(1, PEERS), bytes("x"), false)).toThrow(
    expect.objectContaining({ kind: "bad_output" }),
  );
});

test("a filter that refuses its configuration does not start", async () => {
  await expect(start({ onConfigure: "(i32.const 0)" })).rejects.toMatchObject({ kind: "configure" });
});

test("ticks come as often as asked for, and missed ones are not made up for", async () => {
  const guest = await start({
    imports: `(import "env" "proxy_set_tick_period_milliseconds" (func $period (param i32) (result i32)))`,
    onConfigure: "(drop (call $period (i32.const 10))) (i32.const 1)",
    more: `(func (export "proxy_on_tick") (param i32) ${say("t")})`,
  });
  expect(guest.tick()).toBe(10);
  env.nowNs += 35_000_000n;
  guest.tick();
  expect(said()).toBe("t");
});

test("a queue is announced to the filter that fills it, without a loop", async () => {
  const guest = await start({
    imports: `(import "env" "proxy_register_shared_queue" (func $register (param i32 i32 i32) (result i32)))
      (import "env" "proxy_enqueue_shared_queue" (func $put (param i32 i32 i32) (result i32)))`,
    onConfigure: "(drop (call $register (i32.const 64) (i32.const 1) (i32.const 60))) (i32.const 1)",
    onData: "(drop (call $put (i32.load (i32.const 60)) (i32.const 64) (i32.const 1))) (i32.const 0)",
    more: `(func (export "proxy_on_queue_ready") (param i32 i32) ${say("q")}
        (drop (call $put (local.get 1) (i32.const 64) (i32.const 1))))`,
  });
  guest.data(guest.openConnection(1, PEERS), bytes("x"), false);
  expect(said()).toBe("q");
});
