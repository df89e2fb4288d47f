// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { beforeEach, expect, test } from "vitest";
import { Status } from "./abi.ts";
import { ChainHost, GuestState } from "./guest-state.ts";
import { createImports } from "./imports.ts";
import { watPlan } from "./testdata/wat-filter.ts";
import { MemoryEnvironment } from "./testing/memory-environment.ts";

const OUT = 1_024;
const SESSION_1 = 3;
const plan = await watPlan();

type Call = (name: string, ...args: readonly (number | string)[]) => number;

let host: ChainHost;

/** The host calls of one filter; texts are put into its memory and passed as address and size. */
function guest(vmId = "vm"): {
  call: Call;
  state: GuestState;
  out: () => string;
  word: (at: number) => number;
} {
  const state = new GuestState({ ...plan, vmId }, host);
  const memory = new WebAssembly.Memory({ initial: 4 });
  let next = 70_000;
  state.memory.attach(memory, (size) => {
    next += size;
    return next - size;
  });
  const imports = createImports(state).env ?? {};
  let at = 4_096;
  const call: Call = (name, ...args) => {
    const values = args.flatMap((arg) => {
      if (typeof arg === "number") return [arg];
      const text = new TextEncoder().encode(arg);
      state.memory.bytes.set(text, at);
      at += text.length;
      return [at - text.length, text.length];
    });
    return (imports[name] as unknown as (...values: number[]) => number)(...values);
  };
  const word = (address: number) => state.memory.view.getUint32(address, true);
  return { call, state, word, out: () => state.memory.readText(word(OUT), word(OUT + 4)) };
}

beforeEach(() => {
  host = new ChainHost(new MemoryEnvironment());
  for (const index of [0, 1])
    host.sessions.set(index, { index, client: "", endpoint: "", local: "", resumed: false });
});

test("what one filter stores, another of the same vm_id reads, and no other", () => {
  const [writer, reader, stranger] = [guest(), guest(), guest("other")];
  expect(writer.call("proxy_set_shared_data", "key", "value", 0)).toBe(Status.Ok);
  expect(reader.call("proxy_get_shared_data", "key", OUT, OUT + 4, OUT + 8)).toBe(Status.Ok);
  expect(reader.out()).toBe("value");
  expect(stranger.call("proxy_get_shared_data", "key", OUT, OUT + 4, OUT + 8)).toBe(Status.NotFound);
});

test("of two filters that read the same version, one can write", () => {
  const [a, b] = [guest(), guest()];
  a.call("proxy_set_shared_data", "key", "1", 0);
  for (const one of [a, b]) one.call("proxy_get_shared_data", "key", OUT, OUT + 4, OUT + 8);
  expect(a.call("proxy_set_shared_data", "key", "2", a.word(OUT + 8))).toBe(Status.Ok);
  expect(b.call("proxy_set_shared_data", "key", "3", b.word(OUT + 8))).toBe(Status.CasMismatch);
  expect(b.call("proxy_set_shared_data", "new", "3", 1)).toBe(Status.CasMismatch);
});

test("shared data has its limits, and replacing a value does not use them up", () => {
  const { call } = guest();
  const large = "x".repeat(65_536);
  for (let i = 0; i < 200; i++) expect(call("proxy_set_shared_data", "same", "y", 0)).toBe(Status.Ok);
  const answers = Array.from({ length: 1_100 }, (_, i) => call("proxy_set_shared_data", `k${i}`, "y", 0));
  expect(answers.filter((status) => status === Status.QuotaExceeded)).toHaveLength(1_100 - 1_023);
  expect(guest().call("proxy_set_shared_data", "same", large, 0)).toBe(Status.Ok);
  expect(guest().call("proxy_set_shared_data", "same", `${large}x`, 0)).toBe(Status.BadArgument);
});

test("a queue gives entries back in their order, then says that it is empty", () => {
  const [reader, writer] = [guest(), guest("other")];
  expect(reader.call("proxy_register_shared_queue", "q", OUT)).toBe(Status.Ok);
  const id = reader.word(OUT);
  expect(writer.call("proxy_resolve_shared_queue", "vm", "q", OUT)).toBe(Status.Ok);
  expect(writer.word(OUT)).toBe(id);
  for (const entry of ["a", "b"])
    expect(writer.call("proxy_enqueue_shared_queue", id, entry)).toBe(Status.Ok);
  expect(host.shared.takeNews()).toEqual([{ id, owner: reader.state }]);
  for (const entry of ["a", "b"]) {
    expect(reader.call("proxy_dequeue_shared_queue", id, OUT, OUT + 4)).toBe(Status.Ok);
    expect(reader.out()).toBe(entry);
  }
  expect(reader.call("proxy_dequeue_shared_queue", id, OUT, OUT + 4)).toBe(Status.Empty);
});

test("a queue that there is not, or that is full, says so", () => {
  const { call, word } = guest();
  expect(call("proxy_enqueue_shared_queue", 7, "a")).toBe(Status.NotFound);
  expect(call("proxy_resolve_shared_queue", "vm", "none", OUT)).toBe(Status.NotFound);
  call("proxy_register_shared_queue", "q", OUT);
  const answers = Array.from({ length: 1_025 }, () => call("proxy_enqueue_shared_queue", word(OUT), "a"));
  expect(answers.indexOf(Status.QuotaExceeded)).toBe(1_024);
});

test("a value that a filter sets of a session is a property to the others, until the session is over", () => {
  const [writer, reader] = [guest(), guest("other")];
  writer.state.context = SESSION_1;
  reader.state.context = SESSION_1;
  expect(writer.call("proxy_set_property", "filter_state\0codec", "opus")).toBe(Status.Ok);
  for (const path of ["filter_state\0codec", "filter_state.codec", "codec"]) {
    expect(reader.call("proxy_get_property", path, OUT, OUT + 4)).toBe(Status.Ok);
    expect(reader.out()).toBe("opus");
  }
  reader.state.context = SESSION_1 - 1;
  expect(reader.call("proxy_get_property", "codec", OUT, OUT + 4)).toBe(Status.NotFound);
});

test("the host's own properties cannot be set, nor any without a session", () => {
  const { call, state } = guest();
  expect(call("proxy_set_property", "codec", "x")).toBe(Status.NotFound);
  state.context = SESSION_1;
  expect(call("proxy_set_property", "source.address", "x")).toBe(Status.BadArgument);
  const answers = Array.from({ length: 33 }, (_, i) => call("proxy_set_property", `p${i}`, "x"));
  expect(answers.indexOf(Status.QuotaExceeded)).toBe(32);
});
