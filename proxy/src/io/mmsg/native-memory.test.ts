// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, expect, test } from "vitest";
import { Ring } from "../../datapath/ring.ts";
import { createLegMemory, LegRecords, LegWord } from "../../flow/leg-records.ts";
import { close, eventfd, MSG_DONTWAIT, read, recvmmsg } from "./libc.ts";
import { MmsgCopySender } from "./mmsg-copy-sender.ts";
import { IOVEC_BYTES, MMSGHDR_BYTES, Mmsghdr, writeAddress } from "./native-layout.ts";
import { NativeMemory } from "./native-memory.ts";
import { ringEventfd } from "./ring-eventfd.ts";
import { localAddress, openBoundSocket } from "./sockets.ts";

const open: number[] = [];

afterEach(() => {
  for (const fd of open.splice(0)) close(fd);
});

function keep(fd: number): number {
  open.push(fd);
  return fd;
}

/** Collects everything that nobody holds, and has memory of the same size taken and filled again. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  for (let i = 0; i < 3; i++) gc();
  for (let i = 0; i < 32; i++) new NativeMemory(65_536).bytes.fill(0xee);
}

/** What waits at a socket, as text; empty where nothing does. */
function receive(fd: number): string {
  const memory = new NativeMemory(65_536);
  const [piece, payload] = [MMSGHDR_BYTES, MMSGHDR_BYTES + IOVEC_BYTES];
  writeAddress(memory.words, Mmsghdr.iov, memory.address + piece);
  memory.words[Mmsghdr.iovLength] = 1;
  writeAddress(memory.words, piece >> 2, memory.address + payload);
  memory.words[(piece >> 2) + 2] = 2048;
  if (recvmmsg(fd, memory.address, 1, MSG_DONTWAIT, 0) !== 1) return "";
  return Buffer.from(memory.bytes.subarray(payload, payload + memory.words[Mmsghdr.length]!)).toString();
}

test("an eventfd is rung with 1 after memory was collected", () => {
  const fd = keep(eventfd(0, 0o4000));
  collectGarbage();
  ringEventfd(fd);
  const counter = new NativeMemory(8);
  expect([read(fd, counter.address, 8), counter.words[0], counter.words[1]]).toEqual([8, 1, 0]);
});

test("sockets are bound to the address that was asked for after memory was collected", () => {
  collectGarbage();
  const fd = keep(openBoundSocket({ address: "127.0.0.1", port: 0 }, false));
  expect(localAddress(fd).address).toBe("127.0.0.1");
});

test("copies that wait to be sent survive a collection", () => {
  const target = keep(openBoundSocket({ address: "127.0.0.1", port: 0 }, false));
  const source = keep(openBoundSocket({ address: "127.0.0.1", port: 0 }, false));
  const records = new LegRecords(createLegMemory(4));
  records.setAddress(1, LegWord.remote, localAddress(target));
  const sender = new MmsgCopySender(new Ring(), records, () => source);
  collectGarbage();
  const packet = Buffer.from("a packet of RTCP");
  sender.addPacket(1, LegWord.remote, 0, packet, 0, packet.length);
  collectGarbage();
  sender.flush();
  expect(receive(target)).toBe("a packet of RTCP");
});
