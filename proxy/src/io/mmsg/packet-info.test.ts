// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { LOCAL_ADDRESS, LOCAL_WORDS } from "../../datapath/local-address.ts";
import { readIp, writeSockaddr } from "../../datapath/sockaddr.ts";
import { readPacketInfo4, readPacketInfo6, writePacketInfo } from "./packet-info.ts";

const bytes = new Uint8Array(256);
const words = new Uint32Array(bytes.buffer);
const INTERFACE = 7;
/** Word offsets: what the kernel said, the local address, and the control message that goes out. */
const SAID = 16;
const LOCAL = 32;
const OUT = 40;
/** Behind `struct cmsghdr`. */
const OUT_DATA = OUT + 4;

/** Reads what the kernel says of a datagram to this address, and lays out what lets an answer leave from there. */
function turnRound(address: string): { readonly address: string; readonly interface: number } {
  const isVersion4 = !address.includes(":");
  bytes.fill(0xaa);
  writeSockaddr(bytes, 0, { address, port: 0 });
  if (isVersion4) {
    words[SAID] = INTERFACE;
    words[SAID + 1] = words[1]!;
    // In the datagram's header: a broadcast address, for example.
    words[SAID + 2] = 0xffff_ffff;
    readPacketInfo4(words, SAID, LOCAL);
  } else {
    words.copyWithin(SAID, 2, 6);
    words[SAID + 4] = INTERFACE;
    readPacketInfo6(words, SAID, LOCAL);
  }
  expect(readIp(bytes, LOCAL * 4 + LOCAL_ADDRESS, isVersion4)).toBe(
    address.startsWith("ff") ? "::" : address,
  );
  expect(words[LOCAL + LOCAL_WORDS]).toBe(0xaaaa_aaaa);
  const space = writePacketInfo(words, OUT, isVersion4, words, LOCAL);
  expect(words[OUT + space / 4]).toBe(0xaaaa_aaaa);
  return isVersion4
    ? { address: readIp(bytes, (OUT_DATA + 1) * 4, true), interface: words[OUT_DATA]! }
    : { address: readIp(bytes, OUT_DATA * 4, false), interface: words[OUT_DATA + 4]! };
}

test.each([
  ["of IPv4 by routes", "192.0.2.7", { address: "192.0.2.7", interface: 0 }],
  ["of IPv6 by routes", "2001:db8::7", { address: "2001:db8::7", interface: 0 }],
  [
    "of link-local scope by the interface it came in",
    "fe80::7",
    { address: "fe80::7", interface: INTERFACE },
  ],
  ["that is a group's from the system's choice", "ff02::1", { address: "::", interface: 0 }],
])("an answer leaves from the address spoken to, one %s", (_, address, left) => {
  expect(turnRound(address)).toEqual(left);
});
