// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, test, vi } from "vitest";
import { Ring } from "../../datapath/ring.ts";
import { AF_INET, AF_INET6, readSockaddr, SOCKADDR_BYTES, writeSockaddr } from "../../datapath/sockaddr.ts";
import type { SocketAddress } from "../../plan.ts";
import { close, EMFILE } from "./libc.ts";
import { MessageReceiver } from "./message-receiver.ts";
import { MessageSender } from "./message-sender.ts";
import { Area } from "./native-layout.ts";
import { NativeMemory } from "./native-memory.ts";
import { localAddress, openBoundSocket, openSharedSocket } from "./sockets.ts";

const PATIENCE = { timeout: 10_000, interval: 5 };
const NO_LIMIT = 0x7fff_ffff;
const opened: number[] = [];
const kept = <T extends number>(fd: T): T => {
  opened.push(fd);
  return fd;
};
afterEach(() => {
  for (const fd of opened.splice(0)) close(fd);
});

/** Sends one datagram of these many bytes by an unconnected socket. Returns what was counted. */
function sendTo(fd: number, to: SocketAddress, length: number): MessageSender["sent"] {
  const ring = new Ring(Area.bytes);
  const sender = new MessageSender(ring);
  const name = new NativeMemory(SOCKADDR_BYTES);
  const nameLength = writeSockaddr(name.bytes, 0, to);
  sender.addRun(ring.payload(0), length, length, 1, name.address, nameLength, false);
  sender.flush(fd);
  return sender.sent;
}

describe.each([
  ["127.0.0.1", AF_INET],
  ["::1", AF_INET6],
] as const)("a socket for many addresses, at %s", (address, family) => {
  test("tells which of its peers is gone, once, and serves the others meanwhile", async () => {
    const shared = kept(openSharedSocket(family, NO_LIMIT));
    const good = kept(openBoundSocket({ address, port: 0 }, false));
    const closed = openBoundSocket({ address, port: 0 }, false);
    const gone = localAddress(closed);
    close(closed);
    const ring = new Ring(Area.bytes);
    const receiver = new MessageReceiver(ring);
    const refused: SocketAddress[] = [];
    const drain = (): void =>
      receiver.receiveErrors(shared, (name) => refused.push(readSockaddr(ring.bytes, name * 4)));

    sendTo(shared, gone, 10);
    // The error of the one waits at the socket when the other is sent to.
    expect(sendTo(shared, localAddress(good), 20)).toMatchObject({ datagrams: 1, errors: 0 });
    await vi.waitFor(() => {
      drain();
      expect(refused).toEqual([gone]);
    }, PATIENCE);
    drain();

    expect(refused).toHaveLength(1);
    expect(ring.slots).toBe(0);
    expect(receiver.receive(good, 0)).toBe(1);
    expect(ring.slotLength[0]).toBe(20);
    const { port } = localAddress(shared);
    expect(readSockaddr(ring.bytes, ring.name(0))).toEqual({ address, port });
  });

  test("has a port that nobody else can have, and is refused where no file may be opened any more", () => {
    const shared = kept(openSharedSocket(family, NO_LIMIT));
    const { port } = localAddress(shared);
    expect(() => openBoundSocket({ address, port }, true)).toThrow("EADDRINUSE");
    expect(openSharedSocket(family, shared)).toBe(-EMFILE);
  });
});
