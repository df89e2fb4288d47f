// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, test } from "vitest";
import { createSessionMemory, SessionTable } from "../../datapath/session-table.ts";
import { SOCKADDR_BYTES, writeSockaddr } from "../../datapath/sockaddr.ts";
import type { SocketAddress } from "../../plan.ts";
import { closeSharedSockets, createSessionSocketMemory, SessionSockets } from "./session-sockets.ts";
import type { SocketLimits } from "./socket-limits.ts";
import { localAddress } from "./sockets.ts";

const ENDPOINT = { address: "127.0.0.1", port: 7002 };
const OTHER = { address: "127.0.0.2", port: 7002 };
const noLimits: SocketLimits = { ownBelow: 1 << 20, sharedBelow: 1 << 20, mostOwn: 1 << 20 };
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** The sockets of a worker of a process in which sessions have `own` sockets of their own already. */
function start(limits: Partial<SocketLimits>, own = 0) {
  const sessions = new SessionTable(createSessionMemory(512));
  const count = new Int32Array(new SharedArrayBuffer(4)).fill(own);
  const memory = createSessionSocketMemory(count);
  const watch = { session: () => true, port: () => true };
  const sockets = new SessionSockets(sessions, memory, watch, { ...noLimits, ...limits });
  closers.push(() => {
    sessions.forEach((session) => {
      sockets.close(session);
    });
    closeSharedSockets(memory);
  });
  const bytes = new Uint8Array(32);
  let clients = 0;
  const open = (endpoint: SocketAddress): { readonly session: number; readonly isOpen: boolean } => {
    writeSockaddr(bytes, 0, { address: "10.0.0.1", port: ++clients });
    const session = sessions.add(0, new Uint32Array(bytes.buffer), 0);
    const sockaddr = new Uint8Array(SOCKADDR_BYTES);
    const sockaddrLength = writeSockaddr(sockaddr, 0, endpoint);
    sessions.setEndpoint(session, { id: 0, sockaddr, sockaddrLength, clusterCounters: 0, counters: 0 });
    return { session, isOpen: sockets.open(session, false) };
  };
  return { sessions, sockets, open, ownCount: () => count[0]! - own };
}

describe.runIf(process.platform === "linux")("a session", () => {
  test("shares a port where there are no more for its own, never with one to the same endpoint", () => {
    const { sessions, sockets, open, ownCount } = start({ mostOwn: 1 });
    const [own, first, second] = [ENDPOINT, ENDPOINT, ENDPOINT].map((endpoint) => open(endpoint).session);
    expect(sessions.port(own!)).toBe(-1);
    expect(ownCount()).toBe(1);
    const ports = [own, first, second].map((session) => localAddress(sessions.socket(session!)).port);
    expect(new Set(ports).size).toBe(3);

    sockets.close(own!);
    expect(ownCount()).toBe(0);
    expect(sessions.port(open(ENDPOINT).session)).toBe(-1);
  });

  test("shares one where there are many sockets, and has its own where none is to be shared", () => {
    const many = 1 << 16;
    const sharing = start({}, many);
    expect(sharing.sessions.port(sharing.open(ENDPOINT).session)).toBe(0);
    expect(sharing.ownCount()).toBe(0);
    const alone = start({ sharedBelow: 0 }, many);
    expect(alone.sessions.port(alone.open(ENDPOINT).session)).toBe(-1);
    expect(alone.ownCount()).toBe(1);
  });

  test("is refused where there are neither files nor ports, and others live on", () => {
    const { sessions, sockets, open } = start({ mostOwn: 1, sharedBelow: 0 });
    const { session } = open(ENDPOINT);
    expect(open(OTHER).isOpen).toBe(false);
    expect(sessions.socket(session)).toBeGreaterThanOrEqual(0);
    sockets.close(session);
    expect(open(OTHER).isOpen).toBe(true);
  });

  test("takes no port where its endpoint cannot be reached from any socket", () => {
    const { sessions, open } = start({});
    // Linux wants SO_BROADCAST for it.
    const { session, isOpen } = open({ address: "255.255.255.255", port: 7002 });
    expect(isOpen).toBe(false);
    expect(sessions.port(session)).toBe(-1);
  });
});
