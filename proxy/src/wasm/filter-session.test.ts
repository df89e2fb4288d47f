// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { Word } from "../datapath/batch.ts";
import type { FilterPlan } from "../plan.ts";
import { FilterChain } from "./filter-chain.ts";
import type { SessionInfo } from "./filter-environment.ts";
import { forEachDescriptor, type WatParts, watPlan } from "./testdata/wat-filter.ts";
import { MemoryBatch } from "./testing/memory-batch.ts";
import { MemoryEnvironment } from "./testing/memory-environment.ts";

const LOG = 4;

function session(index: number): SessionInfo {
  return {
    index,
    client: `192.0.2.${index}:4000`,
    endpoint: "[2001:db8::1]:5004",
    local: "203.0.113.1:5004",
    resumed: false,
  };
}

/** Logs the property at address 64 whenever `call` happens to a context, and counts calls in datagrams' marks. */
function propertyLogger(property: string, call = "proxy_on_new_connection"): WatParts {
  const result = call === "proxy_on_new_connection" ? "(result i32)" : "";
  return {
    imports: `
      (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
      (import "env" "proxy_get_property" (func $property (param i32 i32 i32 i32) (result i32)))`,
    more: `
      (global $calls (mut i32) (i32.const 0))
      (data (i32.const 64) "${property.replaceAll(".", "\\00")}")
      (func (export "${call}") (param $context i32) ${result}
        (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
        (if (i32.eqz (call $property (i32.const 64) (i32.const ${property.length}) (i32.const 16) (i32.const 20)))
          (then (drop (call $log (i32.const ${LOG}) (i32.load (i32.const 16)) (i32.load (i32.const 20))))))
        ${result === "" ? "" : "(i32.const 0)"})`,
    onDatagrams: forEachDescriptor("(i32.store offset=40 (local.get $d) (global.get $calls))"),
  };
}

function callsSeen(chain: FilterChain): number {
  const batch = new MemoryBatch();
  batch.stage([{ payload: Uint8Array.of(0) }]);
  chain.run(batch, 0, 1, false, 0);
  return batch.word(0, Word.mark);
}

const logged = (env: MemoryEnvironment): string[] => env.logs.map((line) => line.message);

test.each([
  ["source.address", "192.0.2.3:4000"],
  ["destination.address", "203.0.113.1:5004"],
  ["upstream.address", "[2001:db8::1]:5004"],
  ["plugin_name", "wat"],
  ["plugin_root_id", "root"],
  ["plugin_vm_id", "vm"],
  ["msm.session.id", "\u0003\0\0\0\0\0\0\0"],
  ["msm.session.resumed", "\0"],
  ["msm.worker", "\0\0\0\0\0\0\0\0"],
])("a filter reads %s when a session opens", async (property, value) => {
  const env = new MemoryEnvironment();
  FilterChain.create([await watPlan(propertyLogger(property))], env).openSession(session(3));
  expect(logged(env)).toEqual([value]);
});

test.each(["constructor", "__proto__", "request.path"])(
  "the property %s does not exist",
  async (property) => {
    const env = new MemoryEnvironment();
    FilterChain.create([await watPlan(propertyLogger(property))], env).openSession(session(3));
    expect(logged(env)).toEqual([]);
  },
);

test("a session's properties can still be read while it is closed, once", async () => {
  const env = new MemoryEnvironment();
  const chain = FilterChain.create([await watPlan(propertyLogger("source.address", "proxy_on_delete"))], env);
  chain.openSession(session(1));
  chain.closeSession(1);
  chain.closeSession(1);
  expect(logged(env)).toEqual(["192.0.2.1:4000"]);
});

test("closing a chain closes its sessions", async () => {
  const env = new MemoryEnvironment();
  const chain = FilterChain.create([await watPlan(propertyLogger("source.address", "proxy_on_delete"))], env);
  chain.openSession(session(1));
  chain.openSession(session(2));
  chain.close();
  expect(logged(env)).toEqual(["192.0.2.1:4000", "192.0.2.2:4000"]);
});

test("an unchanged filter keeps its state over a new configuration, also at another place", async () => {
  const env = new MemoryEnvironment();
  const plan = await watPlan(propertyLogger("source.address"));
  const other = await watPlan({}, { name: "other" });
  const chain = FilterChain.create([plan], env);
  chain.openSession(session(1));
  const replaced = chain.replace([other, { ...plan, configuration: new Uint8Array() }], [session(1)]);
  expect(callsSeen(replaced)).toBe(1);
  expect(logged(env)).toEqual(["192.0.2.1:4000"]);
});

test("a filter with another configuration starts anew and is told of live sessions as resumed when they come to it", async () => {
  const env = new MemoryEnvironment();
  const plan = await watPlan(propertyLogger("msm.session.resumed"));
  const chain = FilterChain.create([plan], env);
  for (const index of [1, 2, 3]) chain.openSession(session(index));
  chain.closeSession(3);
  const changed = { ...plan, configuration: Uint8Array.of(1) };
  const replaced = chain.replace([changed], [session(1), session(2)]);
  replaced.openSession(session(4));
  replaced.tick(Number(env.nowNs) / 1e6 + 2_000);
  expect(callsSeen(replaced)).toBe(3);
  expect(logged(env)).toEqual(["\0", "\0", "\0", "\0", "\u0001", "\u0001"]);
});

test("a session stays older than a filter that began after it, and no other filter thinks so", async () => {
  const env = new MemoryEnvironment();
  const onDelete = propertyLogger("msm.session.resumed", "proxy_on_delete");
  const first = await watPlan(onDelete, { name: "first" });
  const second = await watPlan(onDelete, { name: "second" });
  const chain = FilterChain.create([first], env);
  chain.openSession(session(1));
  chain.replace([first, second], [session(1)]).closeSession(1);
  expect(env.logs.map((line) => [line.filter, line.message])).toEqual([
    ["first", "\0"],
    ["second", "\u0001"],
  ]);
});

test.each<Partial<FilterPlan>>([
  { name: "another" },
  { rootId: "another" },
  { vmId: "another" },
  { digest: "another" },
  { configuration: Uint8Array.of(1) },
  { vmConfiguration: Uint8Array.of(1) },
  { failurePolicy: "FAIL_OPEN" },
])("a filter with %o is another one and starts anew", async (change) => {
  const env = new MemoryEnvironment();
  const plan = await watPlan(propertyLogger("plugin_name"));
  const chain = FilterChain.create([plan], env);
  chain.openSession(session(1));
  expect(callsSeen(chain.replace([{ ...plan, ...change }], []))).toBe(0);
});

test("a failed filter stays failed until its configuration changes", async () => {
  const env = new MemoryEnvironment();
  const plan = await watPlan({ onConfigure: "(i32.eqz (i32.eqz (local.get $size)))" });
  const chain = FilterChain.create([plan], env);
  const same = chain.replace([plan], []);
  expect(same.failed).toEqual(["wat"]);
  const changed = same.replace([{ ...plan, configuration: Uint8Array.of(1) }], []);
  expect(changed.failed).toEqual([]);
  expect(env.value('msm_filter_failures_total{kind="configure"}')).toBe(1);
});
