// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, test } from "vitest";
import { Ring } from "../../datapath/ring.ts";
import { createSessionMemory, SessionTable } from "../../datapath/session-table.ts";
import { readSockaddr, SOCKADDR_BYTES, writeSockaddr } from "../../datapath/sockaddr.ts";
import { close } from "./libc.ts";
import { MessageReceiver } from "./message-receiver.ts";
import { Area } from "./native-layout.ts";
import { SessionSender } from "./session-sender.ts";
import { closeSharedSockets, createSessionSocketMemory, SessionSockets } from "./session-sockets.ts";
import { localAddress, openBoundSocket } from "./sockets.ts";
import { SubmissionRing } from "./submission-ring.ts";

const closers: (() => unknown)[] = [];
afterEach(() => {
  for (const done of closers.splice(0)) done();
});

/** Sessions at ports to be shared, since none may have a socket of its own, and what sends for them. */
function start(submissions: SubmissionRing | undefined) {
  const sessions = new SessionTable(createSessionMemory(512));
  const memory = createSessionSocketMemory(new Int32Array(new SharedArrayBuffer(4)));
  const watch = { session: () => true, port: () => true };
  const limits = { ownBelow: 0, sharedBelow: 1 << 20, mostOwn: 0 };
  const sockets = new SessionSockets(sessions, memory, watch, limits);
  const ring = new Ring(Area.bytes);
  const events = { onSentUpstream() {}, onPeerGone() {} };
  const sender = new SessionSender(ring, sessions, () => -1, events, submissions);
  closers.push(
    () => closeSharedSockets(memory),
    () => submissions && close(submissions.fd),
  );
  const bytes = new Uint8Array(32);
  return {
    ring,
    sender,
    /** A session to this socket, by a port that it may share. */
    open(endpoint: number, client: number): number {
      writeSockaddr(bytes, 0, { address: "10.0.0.1", port: client });
      const session = sessions.add(0, new Uint32Array(bytes.buffer), 0);
      const sockaddr = new Uint8Array(SOCKADDR_BYTES);
      const sockaddrLength = writeSockaddr(sockaddr, 0, localAddress(endpoint));
      sessions.setEndpoint(session, { id: 0, sockaddr, sockaddrLength, clusterCounters: 0, counters: 0 });
      expect(sockets.open(session, false)).toBe(true);
      return session;
    },
    portOf: (session: number) => localAddress(sessions.socket(session)).port,
  };
}

/** What came to a socket: the lengths of the datagrams, and the ports that they came from. */
function received(fd: number) {
  const ring = new Ring(Area.bytes);
  new MessageReceiver(ring).receive(fd, 0);
  const slots = Array.from({ length: ring.slots }, (_, slot) => slot);
  return {
    lengths: slots.map((slot) => ring.slotLength[slot]),
    ports: new Set(slots.map((slot) => readSockaddr(ring.bytes, ring.name(slot)).port)),
  };
}

describe.runIf(process.platform === "linux").each([
  ["by one submission", (): SubmissionRing | undefined => SubmissionRing.open()],
  ["by calls of their own", (): SubmissionRing | undefined => undefined],
] as const)("sent %s", (_how, openSubmissions) => {
  test.each([1, 4])(
    "datagrams of sessions at ports to be shared reach each session's endpoint, %i a session",
    (burst) => {
      const { ring, sender, open, portOf } = start(openSubmissions());
      const endpoints = [1, 2, 3, 4, 5].map(() => openBoundSocket({ address: "127.0.0.1", port: 0 }, false));
      for (const endpoint of endpoints) closers.push(() => close(endpoint));
      const sessions = endpoints.map((endpoint, i) => open(endpoint, i + 1));
      for (let round = 0; round < burst; round++)
        for (const [i, session] of sessions.entries()) {
          ring.session[ring.slots] = session;
          ring.add(100 + i, 100 + i, 0, 0, 0);
        }

      sender.sendUpstream(0, ring.slots);

      for (const [i, endpoint] of endpoints.entries())
        expect(received(endpoint)).toEqual({
          lengths: new Array(burst).fill(100 + i),
          ports: new Set([portOf(sessions[i]!)]),
        });
      expect(sender.sender.sent).toMatchObject({ datagrams: 5 * burst, errors: 0, overflows: 0 });
    },
  );
});
