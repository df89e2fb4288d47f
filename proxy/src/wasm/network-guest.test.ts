// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { compileFilter } from "./compile-filter.ts";
import { ChainHost } from "./guest-state.ts";
import { NetworkGuest } from "./network-guest.ts";
import { watPlan } from "./testdata/wat-filter.ts";
import { networkFilter } from "./testdata/wat-network.ts";
import { MemoryEnvironment } from "./testing/memory-environment.ts";

const module = await compileFilter(networkFilter(), "filter");
const session = { index: 3, client: "192.0.2.1:1", endpoint: "", local: "192.0.2.2:2", resumed: false };

function start() {
  const env = new MemoryEnvironment();
  const host = new ChainHost(env);
  const none = new Uint8Array();
  const names = { name: "network", rootId: "", vmId: "", failurePolicy: "FAIL_CLOSED" } as const;
  const guest = new NetworkGuest({ ...names, ...module, configuration: none, vmConfiguration: none }, host);
  host.sessions.set(session.index, session);
  guest.openConnection(session);
  const show = (text: string, isUpstream = false): string => {
    const { goesOn, bytes } = guest.data(session.index, isUpstream, Buffer.from(text), false);
    return `${goesOn ? "continue" : "pause"} ${Buffer.from(bytes).toString()}`;
  };
  return { env, guest, show, heard: () => env.logs.map(({ message }) => message) };
}

test("a Proxy-Wasm filter rewrites what passes in either direction, and what it makes of it may be longer", () => {
  const { show } = start();
  expect(show("-hello")).toBe("continue <>hello");
  expect(show("-hello", true)).toBe("continue <>hello");
});

test("what it paused is shown again with what followed", () => {
  const { show } = start();
  expect(show("4a")).toBe("pause 4a");
  expect(show("4abc")).toBe("continue <>abc");
});

test("it hears of each end of a connection once, and then that all is over", () => {
  const { guest, heard } = start();
  guest.sideClosed(session.index, false, "remote");
  guest.sideClosed(session.index, true, "local");
  guest.connectionOver(session.index);
  expect(heard()).toEqual(["new", "down-closed", "up-closed", "done", "deleted"]);
});

test("what it asks for while it runs is told afterwards, once", () => {
  const { guest, show } = start();
  expect(show("x")).toBe("continue x");
  expect(guest.takeRequests()).toEqual({ resumed: [], closed: [session.index] });
  expect(guest.takeRequests()).toEqual({ resumed: [], closed: [] });
});

test("a tick lets go on what was paused", () => {
  const { env, guest, show } = start();
  expect(guest.tick()).toBe(20);
  expect(show("p")).toBe("pause p");
  env.nowNs += 20_000_000n;
  expect(guest.tick()).toBe(20);
  expect(guest.takeRequests().resumed).toEqual([
    { session: session.index, isUpstream: false },
    { session: session.index, isUpstream: true },
  ]);
});

test("a module may know WASI by its older name", async () => {
  const imports = '(import "wasi_unstable" "proc_exit" (func $exit (param i32)))';
  const required = '(memory (export "memory") 1) (func (export "proxy_abi_version_0_2_0"))';
  const more = `(func (export "proxy_on_new_connection") (param i32) (result i32) (call $exit (i32.const 3)) (i32.const 0))
    (func (export "proxy_on_upstream_data") (param i32 i32 i32) (result i32) (i32.const 0))`;
  const plan = await watPlan({ imports, required, more, onDatagrams: null });
  const guest = new NetworkGuest(plan, new ChainHost(new MemoryEnvironment()));
  expect(() => guest.openConnection(session)).toThrow("proc_exit(3)");
});

test.each([
  ["!", "trap"],
  ["?", "bad_output"],
])("what begins with %s ends it as %s, and the bytes are as they were", (text, kind) => {
  const { guest } = start();
  const bytes = Buffer.from(text);
  expect(() => guest.data(session.index, false, bytes, false)).toThrow(expect.objectContaining({ kind }));
  expect(bytes.toString()).toBe(text);
});
