// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  formatSocketAddress,
  isSameSocketAddress,
  readSockaddr,
  SOCKADDR_BYTES,
  writeSockaddr,
} from "./sockaddr.ts";

test("an address survives writing and reading", () => {
  const bytes = new Uint8Array(SOCKADDR_BYTES);
  const address = fc.oneof(fc.ipV4(), fc.ipV6());
  fc.assert(
    fc.property(address, fc.integer({ min: 0, max: 65535 }), (text, port) => {
      writeSockaddr(bytes, 0, { address: text, port });
      expect(isSameSocketAddress(readSockaddr(bytes, 0), { address: text, port })).toBe(true);
    }),
  );
});

test("addresses are laid out as the kernel wants them", () => {
  const bytes = new Uint8Array(SOCKADDR_BYTES);
  expect(writeSockaddr(bytes, 0, { address: "127.0.0.1", port: 0x1234 })).toBe(16);
  expect([...bytes.subarray(0, 8)]).toEqual([2, 0, 0x12, 0x34, 127, 0, 0, 1]);
  expect(writeSockaddr(bytes, 0, { address: "2001:db8::7f00:1", port: 1 })).toBe(28);
  expect([...bytes.subarray(0, 4)]).toEqual([10, 0, 0, 1]);
  expect(Buffer.from(bytes.subarray(8, 24)).toString("hex")).toBe("20010db800000000000000007f000001");
  expect(formatSocketAddress(readSockaddr(bytes, 0))).toBe("[2001:db8::7f00:1]:1");
});

test("a name instead of an address is refused", () => {
  expect(() => writeSockaddr(new Uint8Array(SOCKADDR_BYTES), 0, { address: "localhost", port: 1 })).toThrow(
    TypeError,
  );
});
