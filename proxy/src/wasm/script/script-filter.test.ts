// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { Action } from "../../datapath/batch.ts";
import { ScriptBench } from "../testdata/script-filter.ts";
import { takeOutgoing } from "../testing/take-outgoing.ts";

test("a script reads datagrams, drops some for a reason and changes others", async () => {
  const bench = await ScriptBench.load(`
    export function configure() { msm.defineReason(3, "too_small"); }
    export function onDatagrams(batch) {
      for (const datagram of batch) {
        if (datagram.length < 2) datagram.drop(3);
        else datagram.setU16(0, datagram.u16(0) + 1);
      }
    }`);
  const batch = bench.run([[1], [1, 255, 7]]);
  expect([batch.action(0), batch.reason(0)]).toEqual([Action.Drop, 3]);
  expect([...batch.payload(1)]).toEqual([2, 0, 7]);
  expect(bench.env.value('msm_filter_dropped_total{reason="too_small"}')).toBe(1);
});

test("a script sees its configuration, properties and sessions", async () => {
  const bench = await ScriptBench.load(
    `export function configure() { msm.info(JSON.parse(msm.configuration()).who + " " + msm.property("plugin_name")); }
     export function onSession(session) { msm.info(session + " " + msm.property("source.address")); }
     export function onSessionClosed(session) { msm.warn("gone " + session); }
     export function onDatagrams() {}`,
    { configuration: new TextEncoder().encode('{"who":"me"}') },
  );
  bench.chain.closeSession(1);
  expect(bench.said.split("\n")).toEqual(["me script", "3 192.0.2.1:1", "4 192.0.2.1:1", "gone 3"]);
});

test("a script adds, answers, pauses and paces datagrams", async () => {
  const bench = await ScriptBench.load(`
    export const wants = { emitCapacity: 4 };
    export function onDatagrams(batch) {
      for (const datagram of batch) {
        if (datagram.u8(0) === 1) datagram.reply();
        else if (datagram.u8(0) === 2) batch.add(datagram.session, true, new Uint8Array([9, 9]));
        else if (datagram.u8(0) === 3) datagram.sendAt(batch.nowMs + 5);
      }
    }`);
  const batch = bench.run([[1], [2], [3]]);
  expect([0, 1, 2].map((i) => batch.action(i))).toEqual([Action.Consume, Action.Continue, Action.Consume]);
  const sent = takeOutgoing(bench.chain).map(({ payload, toClient }) => [...payload, toClient]);
  expect(sent).toEqual([
    [1, true],
    [9, 9, true],
  ]);
  expect(bench.tick(1_006).map(({ payload }) => [...payload])).toEqual([[3]]);
});

test("a script's timers and ticks come, and may add datagrams", async () => {
  const bench = await ScriptBench.load(`
    export const wants = { emitCapacity: 1 };
    export function configure() { msm.setTickPeriod(10); msm.setTimer(1, 7, 5); }
    export function onDatagrams() {}
    export function onTick() { msm.info("tick"); }
    export function onTimer(context, timer, batch) { batch.add(3, false, new Uint8Array([context, timer])); }`);
  bench.tick(1_000);
  const sent = bench.tick(1_020);
  expect(sent.map(({ payload }) => [...payload])).toEqual([[1, 7]]);
  expect(bench.said).toBe("tick");
});

test("a script counts, shares data and keeps values with sessions", async () => {
  const bench = await ScriptBench.load(`
    const seen = msm.counter('seen{kind="any"}');
    const last = msm.gauge("last");
    export function onDatagrams(batch) {
      seen.add(batch.count);
      last.set(batch.at(0).length);
      const before = msm.sharedData("k");
      msm.setSharedData("k", new Uint8Array([1, 2]), before ? before.version : 0);
      msm.setContext(3);
      msm.setProperty("token", "abc");
      msm.info([seen.get(), before ? before.value.length : "none", msm.property("filter_state.token")].join());
    }`);
  bench.run([[1, 2, 3], [4]]);
  bench.run([[1]]);
  expect(bench.said.split("\n")).toEqual(["2,none,abc", "3,2,abc"]);
  expect(bench.env.value("last")).toBe(1);
});

test("a script sees datagrams one by one as a network filter does", async () => {
  const bench = await ScriptBench.load(`
    export function onDownstreamData(context, size) {
      const data = msm.buffer(2);
      if (data[0] === 0) msm.setBuffer(2, 0, size, "");
      else msm.setBuffer(2, 0, 1, new Uint8Array([data[0] + size]));
    }`);
  const batch = bench.run([
    [0, 1],
    [5, 1, 1],
  ]);
  expect([batch.action(0), ...batch.payload(1)]).toEqual([Action.Drop, 8, 1, 1]);
});

test("a script has nothing but the language and msm", async () => {
  const bench = await ScriptBench.load(`
    const names = ["process", "require", "fetch", "setTimeout", "console", "WebAssembly", "std", "os", "print"];
    export function onDatagrams() {
      msm.info(names.filter((name) => name in globalThis).join() + "|" + Object.isFrozen(msm));
    }`);
  bench.run([[1]]);
  expect(bench.said).toBe("|true");
});

test("a script's headroom takes a header, and what it trims is gone", async () => {
  const bench = await ScriptBench.load(`
    export const wants = { headroom: 4 };
    export function onDatagrams(batch) {
      const datagram = batch.at(0);
      datagram.trimStart(1);
      datagram.prepend(2);
      datagram.setU16(0, 0x0708);
      datagram.length -= 1;
    }`);
  expect([...bench.run([[1, 2, 3, 4]]).payload(0)]).toEqual([7, 8, 2, 3]);
});

test.each([
  [
    "throws",
    `export function onDatagrams() { throw new TypeError("odd"); }`,
    "(trap): msm_on_datagrams: TypeError: odd at onDatagrams (filter.js:1:",
  ],
  ["answers a status", `export function onDatagrams() { return 4; }`, "(status)"],
  ["reads what is not there", `export function onDatagrams(batch) { batch.at(9).drop(); }`, "(trap): "],
  [
    "breaks the layout",
    `export function onDatagrams(batch) { batch.at(0).length = 9999; }`,
    "(bad_output): ",
  ],
  [
    "asks for what no host call takes",
    `export function onDatagrams() { msm.defineReason(500, "x"); }`,
    "BadArgument",
  ],
])("a script that %s fails, and its datagrams with it", async (_, source, reason) => {
  const bench = await ScriptBench.load(source);
  const batch = bench.run([[1]]);
  expect(batch.action(0)).toBe(Action.Drop);
  expect(bench.said).toContain(reason);
});
