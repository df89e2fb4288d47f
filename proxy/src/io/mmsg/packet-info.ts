// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { LOCAL_WORDS } from "../../datapath/local-address.ts";
import { IP_PKTINFO, IPPROTO_IP, IPPROTO_IPV6, IPV6_PKTINFO } from "./libc.ts";
import { CMSGHDR_BYTES } from "./native-layout.ts";

// struct in_pktinfo (ip(7)) is an interface, the local address and that in the datagram's header; struct in6_pktinfo
// (RFC 3542 section 6) is an address and an interface. Lengths are CMSG_LEN; a message takes CMSG_SPACE.
const IN_PKTINFO_BYTES = 12;
const IN6_PKTINFO_BYTES = 20;
const IN_SPACE = CMSGHDR_BYTES + 16;
const IN6_SPACE = CMSGHDR_BYTES + 24;
const DATA = CMSGHDR_BYTES / 4;

/**
 * Reads `struct in_pktinfo` at word `data` as a local address at word `to`. Of what was sent to a broadcast or multicast address
 * it is the address that the system would answer from.
 */
export function readPacketInfo4(words: Uint32Array, data: number, to: number): void {
  words[to] = 0;
  words[to + 1] = words[data + 1]!;
  words[to + 2] = words[to + 3] = words[to + 4] = 0;
}

/**
 * The same of `struct in6_pktinfo`. A group is nobody's address: the local address is that of the system's choice then, zero.
 * The interface is kept where an address of link-local scope does not say it; elsewhere routes decide, as they do with IPv4.
 */
export function readPacketInfo6(words: Uint32Array, data: number, to: number): void {
  const first = words[data]!;
  const isGroup = (first & 0xff) === 0xff;
  // fe80::/10, in network order.
  const isLinkLocal = (first & 0xc0ff) === 0x80fe;
  words[to] = isLinkLocal ? words[data + 4]! : 0;
  for (let i = 0; i < 4; i++) words[to + 1 + i] = isGroup ? 0 : words[data + i]!;
}

/**
 * Writes the control message at word `at` that lets a datagram leave from the local address at word `local` of `from`, and
 * returns the bytes that it takes.
 */
export function writePacketInfo(
  words: Uint32Array,
  at: number,
  isVersion4: boolean,
  from: Uint32Array | Int32Array,
  local: number,
): number {
  words[at] = CMSGHDR_BYTES + (isVersion4 ? IN_PKTINFO_BYTES : IN6_PKTINFO_BYTES);
  words[at + 1] = 0;
  words[at + 2] = isVersion4 ? IPPROTO_IP : IPPROTO_IPV6;
  words[at + 3] = isVersion4 ? IP_PKTINFO : IPV6_PKTINFO;
  if (isVersion4) {
    words[at + DATA] = from[local]!;
    words[at + DATA + 1] = from[local + 1]!;
    words[at + DATA + 2] = 0;
    return IN_SPACE;
  }
  for (let i = 1; i < LOCAL_WORDS; i++) words[at + DATA + i - 1] = from[local + i]!;
  words[at + DATA + 4] = from[local]!;
  return IN6_SPACE;
}
