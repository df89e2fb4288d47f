// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { Ring } from "../../datapath/ring.ts";
import { AF_INET, writeSockaddr } from "../../datapath/sockaddr.ts";
import { close, ECONNREFUSED } from "./libc.ts";
import { MessageReceiver } from "./message-receiver.ts";
import { MessageSender } from "./message-sender.ts";
import { Area } from "./native-layout.ts";
import { NativeMemory } from "./native-memory.ts";
import { localAddress, openBoundSocket, openConnectedSocket } from "./sockets.ts";
import { SUBMISSIONS, SubmissionRing } from "./submission-ring.ts";

const submissions = SubmissionRing.open();
const name = new NativeMemory(64);

function connectTo(fd: number): number {
  const length = writeSockaddr(name.bytes, 0, localAddress(fd));
  return openConnectedSocket(AF_INET, name.address, length, false);
}

describe.skipIf(submissions === undefined)("a submission ring", () => {
  const loopback = { address: "127.0.0.1", port: 0 };
  const receiving = [openBoundSocket(loopback, false), openBoundSocket(loopback, false)];
  const sending = receiving.map(connectTo);
  const incoming = new Ring(Area.bytes);
  const receiver = new MessageReceiver(incoming);
  const outgoing = new Ring(Area.bytes);
  const sender = new MessageSender(outgoing, submissions);
  const refused: number[] = [];

  beforeEach(() => {
    refused.length = 0;
    Object.assign(sender.sent, { datagrams: 0, bytes: 0, errors: 0, overflows: 0 });
  });

  afterAll(() => {
    for (const fd of [...receiving, ...sending, submissions!.fd]) close(fd);
  });

  /** The lengths of what waits at a socket. */
  function receive(fd: number): readonly number[] {
    const lengths: number[] = [];
    while (receiver.receive(fd, 0) > 0) {
      lengths.push(...incoming.slotLength.subarray(0, incoming.slots));
      incoming.clear();
    }
    return lengths;
  }

  function hold(socket: number, owner: number, lengths: readonly number[]): void {
    const offset = outgoing.payload(0);
    for (const length of lengths) {
      if (sender.joinRun(offset, length, length, 1)) continue;
      sender.addRun(offset, length, length, 1, 0, 0, true);
    }
    sender.hold(sending[socket]!, owner);
  }

  test("lets messages of several sockets leave together, lone datagrams and segmented ones", () => {
    hold(0, 1, [100]);
    hold(1, 2, [50, 50, 20]);
    hold(0, 1, [60, 60]);
    sender.submit((owner) => refused.push(owner));
    expect(receive(receiving[0]!)).toEqual([100, 60, 60]);
    expect(receive(receiving[1]!)).toEqual([50, 50, 20]);
    expect(sender.sent).toEqual({ datagrams: 6, bytes: 340, errors: 0, overflows: 0 });
    expect(refused).toEqual([]);
  });

  test("takes more messages than it has room for, in parts, again and again", () => {
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < SUBMISSIONS + 3; i++) hold(i % 2, i % 2, [i + 1]);
      sender.submit((owner) => refused.push(owner));
      const lengths = [...receive(receiving[0]!), ...receive(receiving[1]!)].sort((a, b) => a - b);
      expect(lengths).toEqual(Array.from({ length: SUBMISSIONS + 3 }, (_, i) => i + 1));
    }
  });

  test("sends few messages by calls of their own", () => {
    hold(0, 1, [100]);
    sender.submit((owner) => refused.push(owner));
    hold(1, 2, [50, 50, 20]);
    hold(0, 1, [60]);
    sender.submit((owner) => refused.push(owner));
    expect([receive(receiving[0]!), receive(receiving[1]!)]).toEqual([
      [100, 60],
      [50, 50, 20],
    ]);
    expect(sender.sent).toEqual({ datagrams: 5, bytes: 280, errors: 0, overflows: 0 });
  });

  // Few enough for calls of their own, and as many as leave together.
  test.each([1, 3])(
    "says whose peer is gone, and sends what only met the error of an earlier one, beside %d others",
    (others) => {
      const gone = openBoundSocket(loopback, false);
      const orphan = connectTo(gone);
      close(gone);
      const place = sending.push(orphan) - 1;
      for (let i = 0; i < 2; i++) {
        for (let other = 0; other < others; other++) hold(0, 7, [10]);
        hold(place, 8, [10]);
        sender.submit((owner) => refused.push(owner));
      }
      expect(refused).toEqual([8]);
      const received = Array.from({ length: 2 * others }, () => 10);
      expect(receive(receiving[0]!)).toEqual(received);
      const datagrams = received.length + 2;
      expect(sender.sent).toEqual({ datagrams, bytes: 10 * datagrams, errors: 0, overflows: 0 });
    },
  );

  test("names the datagram that was not sent by its place, and the reason", () => {
    const orphan = sending[2]!;
    submissions!.addSend(sending[0]!, name.address, name.address / 2 ** 32, 5);
    submissions!.addSend(orphan, name.address, name.address / 2 ** 32, 5);
    submissions!.submit();
    expect([submissions!.nextFailure(), submissions!.error]).toEqual([1, ECONNREFUSED]);
    expect(submissions!.nextFailure()).toBe(-1);
    expect(receive(receiving[0]!)).toEqual([5]);
  });
});
