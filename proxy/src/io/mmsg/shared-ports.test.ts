// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import { createSessionMemory, SessionTable } from "../../datapath/session-table.ts";
import { SOCKADDR_BYTES, writeSockaddr } from "../../datapath/sockaddr.ts";
import { MOST_PORTS, SharedPorts } from "./shared-ports.ts";

const bytes = new Uint8Array(32);
const words = new Uint32Array(bytes.buffer);
/** The ports of one family of a system that has so many left. */
const someLeft = (most: number) => {
  const open = new Set<number>();
  return {
    isOpen: (port: number) => open.has(port),
    open: (port: number) => open.size < most && Boolean(open.add(port)),
  };
};

/** A session of a client of its own to this endpoint; its socket is there, as a successor wants it. */
function addSession(sessions: SessionTable, endpoint: string, client: number): number {
  writeSockaddr(bytes, 0, { address: "10.0.0.1", port: client });
  const session = sessions.add(0, words, 0);
  const sockaddr = new Uint8Array(SOCKADDR_BYTES);
  const sockaddrLength = writeSockaddr(sockaddr, 0, { address: endpoint, port: 7002 });
  sessions.setEndpoint(session, { id: 0, sockaddr, sockaddrLength, clusterCounters: 0, counters: 0 });
  sessions.setSocket(session, 1);
  return session;
}

function sessionAt(ports: SharedPorts, port: number, endpoint: string): number {
  writeSockaddr(bytes, 0, { address: endpoint, port: 7002 });
  return ports.find(port, words, 0);
}

test("sessions to different endpoints share a port, and those to one endpoint never do", () => {
  const sessions = new SessionTable(createSessionMemory(512));
  const ports = new SharedPorts(sessions, someLeft(2));
  const [a, b, c] = [1, 2, 3].map((client) => addSession(sessions, "192.0.2.1", client));
  const other = addSession(sessions, "192.0.2.2", 4);

  expect(new Set([ports.take(a!), ports.take(b!)])).toEqual(new Set([0, 1]));
  expect(ports.take(c!)).toBe(-1);
  const shared = ports.take(other);

  expect([0, 1]).toContain(shared);
  expect(sessionAt(ports, shared, "192.0.2.2")).toBe(other);
  expect([a, b]).toContain(sessionAt(ports, shared, "192.0.2.1"));
  expect(sessionAt(ports, shared, "192.0.2.3")).toBe(-1);
  expect(sessionAt(ports, 1 - shared, "192.0.2.2")).toBe(-1);
  ports.release(a!);
  expect(ports.take(c!)).toBeGreaterThanOrEqual(0);
});

test("IPv6 endpoints get ports of IPv6", () => {
  const sessions = new SessionTable(createSessionMemory(512));
  const ports = new SharedPorts(sessions, someLeft(9));
  const session = addSession(sessions, "2001:db8::1", 1);
  expect(ports.take(session)).toBe(MOST_PORTS);
  expect(ports.take(addSession(sessions, "192.0.2.1", 2))).toBe(0);
  expect(sessionAt(ports, MOST_PORTS, "2001:db8::1")).toBe(session);
  expect(sessionAt(ports, MOST_PORTS, "2001:db8::2")).toBe(-1);
});

test("a port that an endpoint's session gave back is the last that the endpoint gets again", () => {
  const sessions = new SessionTable(createSessionMemory(512));
  const ports = new SharedPorts(sessions, someLeft(8), () => 0);
  addSession(sessions, "192.0.2.2", 999);
  for (let client = 1; client <= 8; client++) ports.take(addSession(sessions, "192.0.2.2", client));
  ports.take(addSession(sessions, "192.0.2.1", 100));
  const given: number[] = [];
  for (let client = 101; client <= 107; client++) {
    const session = addSession(sessions, "192.0.2.1", client);
    given.push(ports.take(session));
    ports.release(session);
    sessions.remove(session);
  }
  expect(given).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

/** What is done: a session to one of few endpoints opened, one closed, or the worker replaced. */
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ open: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 3, arbitrary: fc.record({ close: fc.nat(200) }) },
  { weight: 1, arbitrary: fc.constant({ replace: true }) },
);

test("whatever is opened, closed and taken over, each port and endpoint lead to their one session", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), fc.integer({ min: 0, max: 9 }), (steps, most) => {
      const memory = createSessionMemory(512);
      const system = someLeft(most);
      let sessions = new SessionTable(memory);
      let ports = new SharedPorts(sessions, system);
      const model = new Map<string, number>();
      const sessionsTo = (endpoint: string): number =>
        [...model.keys()].filter((key) => key.endsWith(` ${endpoint}`)).length;
      for (const [index, done] of steps.entries()) {
        if ("open" in done) {
          const endpoint = `192.0.2.${done.open}`;
          const session = addSession(sessions, endpoint, index + 1);
          const port = ports.take(session);
          // Refused only where the endpoint has every port that there may be.
          expect(port < 0).toBe(sessionsTo(endpoint) === most);
          if (port < 0) sessions.remove(session);
          else {
            expect(model.has(`${port} ${endpoint}`)).toBe(false);
            model.set(`${port} ${endpoint}`, session);
          }
        } else if ("close" in done) {
          const [key, session] = [...model][done.close % Math.max(model.size, 1)] ?? [];
          if (key === undefined) continue;
          ports.release(session!);
          sessions.remove(session!);
          model.delete(key);
        } else {
          sessions = new SessionTable(memory);
          ports = new SharedPorts(sessions, system);
        }
      }
      for (let port = 0; port < most; port++)
        for (const last of [1, 2, 3, 4]) {
          const endpoint = `192.0.2.${last}`;
          expect(sessionAt(ports, port, endpoint)).toBe(model.get(`${port} ${endpoint}`) ?? -1);
        }
    }),
  );
});
