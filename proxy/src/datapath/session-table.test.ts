// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import { LOCAL_WORDS } from "./local-address.ts";
import { createSessionMemory, SessionTable } from "./session-table.ts";
import { readSockaddr, writeSockaddr } from "./sockaddr.ts";

const names = new Uint8Array(64);
const words = new Uint32Array(names.buffer);
/** Word offset of a local address behind the name. */
const LOCAL = 8;

function name(address: string, port: number): void {
  writeSockaddr(names, 0, { address, port });
}

/** The local address of this number, 0 where the listener has one alone; returns what calls take for it. */
function local(number: number): number {
  words.fill(0, LOCAL, LOCAL + LOCAL_WORDS);
  words[LOCAL + 1] = number;
  return number === 0 ? -1 : LOCAL;
}

test("a session is found by listener and client address, IPv4 and IPv6", () => {
  const table = new SessionTable(createSessionMemory(512));
  for (const address of ["10.0.0.1", "fe80::1"]) {
    name(address, 5004);
    expect(table.find(1, words, 0)).toBe(-1);
    const session = table.add(1, words, 0);
    expect(table.find(1, words, 0)).toBe(session);
    expect(table.find(2, words, 0)).toBe(-1);
    name(address, 5005);
    expect(table.find(1, words, 0)).toBe(-1);
  }
});

test("a full table refuses, and has room again when a session ends", () => {
  const table = new SessionTable(createSessionMemory(512));
  for (let port = 1; port <= table.capacity; port++) {
    name("10.0.0.1", port);
    expect(table.add(0, words, 0)).toBe(port - 1);
  }
  name("10.0.0.2", 1);
  expect(table.add(0, words, 0)).toBe(-1);
  table.remove(7);
  expect(table.add(0, words, 0)).toBe(7);
});

test("one client that speaks to two local addresses has two sessions, also for a successor", () => {
  const memory = createSessionMemory(512);
  const table = new SessionTable(memory);
  name("2001:db8::1", 5004);
  const sessions = [1, 2].map((number) => table.add(0, words, 0, local(number)));
  for (const session of sessions) table.setSocket(session, 42);
  for (const [i, session] of sessions.entries()) {
    expect(table.find(0, words, 0, local(i + 1))).toBe(session);
    expect(new SessionTable(memory).find(0, words, 0, local(i + 1))).toBe(session);
    expect(table.words[table.local(session) + 1]).toBe(i + 1);
  }
  expect(table.find(0, words, 0, local(3))).toBe(-1);
});

const isKeyed = (port: number): boolean => port % 3 === 0;

test("whatever is added and removed, every open session is found and no closed one is", () => {
  const port = fc.integer({ min: 1, max: 40 });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), port), { maxLength: 200 }), (steps) => {
      const table = new SessionTable(createSessionMemory(512));
      const model = new Map<number, number>();
      for (const [isAdded, at] of steps) {
        name("192.0.2.1", at % 20);
        const known = model.get(at);
        if (isAdded && known === undefined) {
          model.set(at, table.add(3, words, 0, local(Math.floor(at / 20))));
          if (isKeyed(at)) table.setKey(model.get(at)!, at, 0xffff_ffff);
        }
        if (!isAdded && known !== undefined) {
          table.remove(known);
          model.delete(at);
        }
      }
      for (let at = 1; at <= 40; at++) {
        name("192.0.2.1", at % 20);
        const session = model.get(at) ?? -1;
        expect(table.find(3, words, 0, local(Math.floor(at / 20)))).toBe(isKeyed(at) ? -1 : session);
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
  name("10.0.0.1", 1);
  const session = table.add(0, words, 0);
  table.setKey(session, 5, 7);
  table.setSocket(session, 42);
  expect(table.moveClient(session, words, 0)).toBe(false);
  expect(table.moveClient(session, words, 0, local(1))).toBe(true);
  expect(table.moveClient(session, words, 0, local(1))).toBe(false);
  name("2001:db8::1", 2);
  expect(table.moveClient(session, words, 0, local(1))).toBe(true);
  expect(readSockaddr(table.bytes, table.client(session))).toEqual({ address: "2001:db8::1", port: 2 });
  expect(new SessionTable(memory).findKey(0, 5, 7)).toBe(session);
});

test("a successor adopts the sessions that have a socket and drops those that were being opened", () => {
  const memory = createSessionMemory(512);
  const first = new SessionTable(memory);
  name("10.0.0.1", 1);
  const abandoned = first.add(0, words, 0);
  name("10.0.0.1", 2);
  const open = first.add(0, words, 0);
  first.setSocket(open, 42);
  first.touch(open, 1234.5);

  const second = new SessionTable(memory);

  expect(second.size).toBe(1);
  expect(second.find(0, words, 0)).toBe(open);
  expect(second.socket(open)).toBe(42);
  expect(second.lastActiveMs(open)).toBe(1234.5);
  expect(second.isOpen(abandoned)).toBe(false);
  name("10.0.0.1", 3);
  expect(second.add(0, words, 0)).toBe(abandoned);
});
