// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import { createSessionMemory, SessionTable } from "./session-table.ts";
import { readSockaddr, writeSockaddr } from "./sockaddr.ts";

const names = new Uint8Array(32);
const words = new Uint32Array(names.buffer);

function name(address: string, port: number): number {
  return writeSockaddr(names, 0, { address, port });
}

test("a session is found by listener and client address, IPv4 and IPv6", () => {
  const table = new SessionTable(createSessionMemory(512));
  for (const address of ["10.0.0.1", "fe80::1"]) {
    const length = name(address, 5004);
    expect(table.find(1, words, 0)).toBe(-1);
    const session = table.add(1, words, 0, length);
    expect(table.find(1, words, 0)).toBe(session);
    expect(table.find(2, words, 0)).toBe(-1);
    name(address, 5005);
    expect(table.find(1, words, 0)).toBe(-1);
  }
});

test("a full table refuses, and has room again when a session ends", () => {
  const table = new SessionTable(createSessionMemory(512));
  for (let port = 1; port <= table.capacity; port++) {
    expect(table.add(0, words, 0, name("10.0.0.1", port))).toBe(port - 1);
  }
  const length = name("10.0.0.2", 1);
  expect(table.add(0, words, 0, length)).toBe(-1);
  table.remove(7);
  expect(table.add(0, words, 0, length)).toBe(7);
});

const isKeyed = (port: number): boolean => port % 3 === 0;

test("whatever is added and removed, every open session is found and no closed one is", () => {
  const port = fc.integer({ min: 1, max: 40 });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), port), { maxLength: 200 }), (steps) => {
      const table = new SessionTable(createSessionMemory(512));
      const model = new Map<number, number>();
      for (const [isAdded, at] of steps) {
        const length = name("192.0.2.1", at);
        const known = model.get(at);
        if (isAdded && known === undefined) {
          model.set(at, table.add(3, words, 0, length));
          if (isKeyed(at)) table.setKey(model.get(at)!, at, 0xffff_ffff);
        }
        if (!isAdded && known !== undefined) {
          table.remove(known);
          model.delete(at);
        }
      }
      for (let at = 1; at <= 40; at++) {
        name("192.0.2.1", at);
        const session = model.get(at) ?? -1;
        expect(table.find(3, words, 0)).toBe(isKeyed(at) ? -1 : session);
        expect(table.findKey(3, at, 0xffff_ffff)).toBe(isKeyed(at) ? session : -1);
        expect(table.findKey(4, at, 0xffff_ffff)).toBe(-1);
      }
      expect(table.size).toBe(model.size);
    }),
  );
});

test("a session with a key follows its client, and a successor finds it by the key", () => {
  const memory = createSessionMemory(512);
  const table = new SessionTable(memory);
  const session = table.add(0, words, 0, name("10.0.0.1", 1));
  table.setKey(session, 5, 7);
  table.setSocket(session, 42);
  expect(table.moveClient(session, words, 0, name("10.0.0.1", 1))).toBe(false);
  expect(table.moveClient(session, words, 0, name("2001:db8::1", 2))).toBe(true);
  expect(readSockaddr(table.bytes, table.client(session))).toEqual({ address: "2001:db8::1", port: 2 });
  expect(new SessionTable(memory).findKey(0, 5, 7)).toBe(session);
});

test("a successor adopts the sessions that have a socket and drops those that were being opened", () => {
  const memory = createSessionMemory(512);
  const first = new SessionTable(memory);
  const abandoned = first.add(0, words, 0, name("10.0.0.1", 1));
  const open = first.add(0, words, 0, name("10.0.0.1", 2));
  first.setSocket(open, 42);
  first.touch(open, 1234.5);

  const second = new SessionTable(memory);

  expect(second.size).toBe(1);
  expect(second.find(0, words, 0)).toBe(open);
  expect(second.socket(open)).toBe(42);
  expect(second.lastActiveMs(open)).toBe(1234.5);
  expect(second.isOpen(abandoned)).toBe(false);
  expect(second.add(0, words, 0, name("10.0.0.1", 3))).toBe(abandoned);
});
