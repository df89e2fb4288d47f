// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import { Status } from "./abi.ts";
import { ChainHost, GuestState } from "./guest-state.ts";
import {
  msmCalls,
  proxyCalls,
  sharingCalls,
  signallingCalls,
  sinkCalls,
  unimplementedCalls,
  WASI_MODULE,
  wasiCalls,
} from "./import-names.ts";
import { createImports } from "./imports.ts";
import type { StreamReport } from "./stream-report.ts";
import { watPlan } from "./testdata/wat-filter.ts";
import { MemoryEnvironment } from "./testing/memory-environment.ts";

const PAGE = 65_536;
const OUT = 1_024;
const configuration = new TextEncoder().encode('{"limit":1}');
const plan = await watPlan({}, { configuration });

let env: MemoryEnvironment;
let state: GuestState;
let memory: WebAssembly.Memory;

type Call = (...args: readonly (number | bigint)[]) => number;
let call: (name: string, ...args: readonly (number | bigint)[]) => number;

beforeEach(() => {
  env = new MemoryEnvironment();
  state = new GuestState(plan, new ChainHost(env));
  memory = new WebAssembly.Memory({ initial: 1 });
  let next = 4_096;
  state.memory.attach(memory, (size) => {
    next += size;
    return next - size;
  });
  const imports = createImports(state);
  call = (name, ...args) => {
    const found = imports.env?.[name] ?? imports[WASI_MODULE]?.[name];
    return (found as unknown as Call)(...args);
  };
});

function put(address: number, text: string): [number, number] {
  const bytes = new TextEncoder().encode(text);
  state.memory.bytes.set(bytes, address);
  return [address, bytes.length];
}

const u32 = (address: number): number => state.memory.view.getUint32(address, true);
const u64 = (address: number): bigint => state.memory.view.getBigUint64(address, true);

function define(type: number, name: string): number {
  expect(call("proxy_define_metric", type, ...put(64, name), OUT)).toBe(Status.Ok);
  return u32(OUT);
}

test("every name that a module may import is there", () => {
  const imports = createImports(state);
  const names = [
    ...proxyCalls,
    ...msmCalls,
    ...sharingCalls,
    ...sinkCalls,
    ...signallingCalls,
    ...unimplementedCalls,
  ];
  expect(Object.keys(imports.env ?? {}).sort()).toEqual([...names].sort());
  expect(Object.keys(imports[WASI_MODULE] ?? {}).sort()).toEqual([...wasiCalls].sort());
});

test("calls that this host does not serve say so", () => {
  expect(unimplementedCalls.map((name) => call(name, 0, 0, 0, 0))).toEqual(
    unimplementedCalls.map(() => Status.Unimplemented),
  );
});

test("hands over a part of the configuration in memory that the guest allocates", () => {
  expect(call("proxy_get_buffer_bytes", 7, 2, 5, OUT, OUT + 4)).toBe(Status.Ok);
  expect(state.memory.readText(u32(OUT), u32(OUT + 4))).toBe("limit");
  expect(call("proxy_get_buffer_status", 7, OUT, OUT + 4)).toBe(Status.Ok);
  expect(u32(OUT)).toBe(configuration.length);
});

test("answers NOT_FOUND for buffers that belong to streams and BAD_ARGUMENT behind the end", () => {
  expect(call("proxy_get_buffer_bytes", 2, 0, 5, OUT, OUT + 4)).toBe(Status.NotFound);
  expect(call("proxy_get_buffer_bytes", 7, 100, 5, OUT, OUT + 4)).toBe(Status.BadArgument);
});

test("passes log messages on until a filter logs too much, and then says how many it held back", () => {
  for (let i = 0; i < 100; i++) call("proxy_log", 2, ...put(64, `line ${i}`));
  expect(env.logs).toHaveLength(20);
  state.host.clock.set(Number(env.nowNs) + 2e9);
  call("proxy_log", 4, ...put(64, "again"));
  expect(env.logs.slice(20).map((line) => line.message)).toEqual(["80 messages were held back", "again"]);
});

test("counts, sets and observes metrics, with labels out of their name", () => {
  const counter = define(0, 'rtp.lost{kind="audio"}');
  const gauge = define(1, "level");
  const histogram = define(2, "delay_seconds");
  expect(call("proxy_increment_metric", counter, 5n)).toBe(Status.Ok);
  expect(call("proxy_record_metric", gauge, 7n)).toBe(Status.Ok);
  expect(call("proxy_increment_metric", gauge, -2n)).toBe(Status.Ok);
  expect(call("proxy_record_metric", histogram, 1_500_000n)).toBe(Status.Ok);
  expect(env.value('rtp_lost{kind="audio"}')).toBe(5);
  expect(env.value("level")).toBe(5);
  expect(env.observations("delay_seconds")).toEqual([0.0015]);
  expect(call("proxy_get_metric", counter, OUT)).toBe(Status.Ok);
  expect(u64(OUT)).toBe(5n);
});

test("refuses metrics that do not exist, cannot fall, or have no proper name", () => {
  const counter = define(0, "hits");
  expect(call("proxy_increment_metric", 99, 1n)).toBe(Status.NotFound);
  expect(call("proxy_increment_metric", counter, -1n)).toBe(Status.BadArgument);
  expect(call("proxy_record_metric", counter, 1n)).toBe(Status.BadArgument);
  for (const name of ["", "1st", "a b", 'a{b="c"', 'a{b="c"d="e"}', "a{}}"]) {
    expect(call("proxy_define_metric", 0, ...put(64, name), OUT)).toBe(Status.BadArgument);
  }
  expect(call("proxy_define_metric", 3, ...put(64, "ok"), OUT)).toBe(Status.BadArgument);
});

test("follows a counter in the guest's memory, beyond 32 bits", () => {
  const id = define(0, "bytes");
  expect(call("msm_map_metric", id, 2_048)).toBe(Status.Ok);
  state.memory.view.setBigUint64(2_048, 0xffff_ffffn, true);
  state.metrics.sample(state.memory);
  state.memory.view.setBigUint64(2_048, 0x1_0000_0001n, true);
  state.metrics.sample(state.memory);
  expect(env.value("bytes")).toBe(0x1_0000_0001);
  expect(call("msm_map_metric", id, 2_044)).toBe(Status.BadArgument);
  expect(call("msm_map_metric", id, PAGE)).toBe(Status.InvalidMemoryAccess);
});

test("names drop reasons for the metrics", () => {
  expect(call("msm_define_reason", 7, ...put(64, "too_old"))).toBe(Status.Ok);
  state.reasons.note(7);
  state.reasons.note(8);
  state.reasons.flush();
  expect(env.value('msm_filter_dropped_total{reason="too_old"}')).toBe(1);
  expect(env.value('msm_filter_dropped_total{reason="unspecified"}')).toBe(1);
  expect(call("msm_define_reason", 200, ...put(64, "mine"))).toBe(Status.BadArgument);
  expect(call("msm_define_reason", 7, ...put(64, 'a"b'))).toBe(Status.BadArgument);
});

test("takes stream reports while it asks for them, and only of live sessions", () => {
  expect(call("msm_report_stream", 2, 2_048, 96)).toBe(Status.BadArgument);
  const reports: StreamReport[] = [];
  state.reports = reports;
  expect(call("msm_report_stream", 2, 2_048, 96)).toBe(Status.NotFound);
  const addresses = { client: "c", endpoint: "e", local: "l" };
  state.host.sessions.set(0, { index: 0, ...addresses, resumed: false });
  state.memory.view.setUint32(2_048 + 4, 3, true);
  state.memory.view.setBigInt64(2_048 + 40, -5n, true);
  expect(call("msm_report_stream", 2, 2_048, 96)).toBe(Status.Ok);
  expect(reports[0]).toMatchObject({ session: 0, upstreamDirection: true, lost: -5 });
  expect(reports[0]?.far).toMatchObject({ cumulativeLost: 0, roundTripMs: null });
});

test("WASI output becomes log lines", () => {
  put(64, "hello ");
  put(128, "world");
  new Uint32Array(memory.buffer).set([64, 6, 128, 5], OUT / 4);
  expect(call("fd_write", 2, OUT, 2, OUT + 64)).toBe(0);
  expect(u32(OUT + 64)).toBe(11);
  expect(env.logs.map((line) => line.message)).toEqual(["hello ", "world"]);
});

test("the clocks of Proxy-Wasm and WASI agree", () => {
  expect(call("proxy_get_current_time_nanoseconds", OUT)).toBe(Status.Ok);
  expect(u64(OUT)).toBe(env.wallNs());
  expect(call("clock_time_get", 0, 1n, OUT)).toBe(0);
  expect(u64(OUT)).toBe(env.wallNs());
  expect(call("clock_time_get", 1, 1n, OUT)).toBe(0);
  expect(u64(OUT)).toBe(env.nowNs);
});

const address = fc.oneof(fc.integer(), fc.constantFrom(0, PAGE - 1, PAGE, -1, 2 ** 31 - 1));
const memoryCalls = [...proxyCalls, ...msmCalls, ...sharingCalls, ...sinkCalls, ...wasiCalls].filter(
  // These take 64-bit values and no address; `proc_exit` never returns.
  (name) =>
    ![
      "proxy_increment_metric",
      "proxy_record_metric",
      "proc_exit",
      "clock_time_get",
      "msm_set_timer",
    ].includes(name),
);

test("no address or length that a guest can pass throws in the host", () => {
  const args = fc.tuple(address, address, address, address, address);
  fc.assert(
    fc.property(fc.constantFrom(...memoryCalls), args, (name, values) => {
      expect(call(name, ...values)).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 2_000 },
  );
});
