// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { storeU16 } from "@msm/filter-sdk/assembly";
import { IPV6, NO_ADDRESS, Peers } from "./peers";

/** Longest headers: IPv6 and UDP. */
export const MAX_HEADERS: usize = 48;

const IPV4_BYTES: usize = 20;
const IPV6_BYTES: usize = 40;
const UDP_BYTES: usize = 8;
const UDP: u8 = 17;
const HOPS: u8 = 64;

/**
 * Writes the IP and UDP headers (RFC 791, RFC 8200, RFC 768) of a datagram of `length` bytes between two peers at `at`:
 * those on the wire were other ones, the proxy stands between them. Returns their length. UDP checksums are left out.
 */
export function writeHeaders(at: usize, peers: Peers, from: usize, to: usize, length: u32): usize {
  const isV6 = peers.kind(from) == IPV6 || peers.kind(to) == IPV6;
  const udp = at + (isV6 ? IPV6_BYTES : IPV4_BYTES);
  if (isV6) writeV6(at, peers, from, to, length);
  else writeV4(at, peers, from, to, length);
  store<u16>(udp, peers.port(from));
  store<u16>(udp + 2, peers.port(to));
  storeU16(udp + 4, <u32>UDP_BYTES + length);
  store<u16>(udp + 6, 0);
  return udp + UDP_BYTES - at;
}

function writeV4(at: usize, peers: Peers, from: usize, to: usize, length: u32): void {
  memory.fill(at, 0, IPV4_BYTES);
  store<u8>(at, 0x45);
  storeU16(at + 2, <u32>(IPV4_BYTES + UDP_BYTES) + length);
  store<u8>(at + 8, HOPS);
  store<u8>(at + 9, UDP);
  if (peers.kind(from) != NO_ADDRESS) store<u32>(at + 12, load<u32>(from + 12));
  if (peers.kind(to) != NO_ADDRESS) store<u32>(at + 16, load<u32>(to + 12));
  storeU16(at + 10, headerChecksum(at));
}

/** An IPv4 peer of an IPv6 one stands there as a mapped address (RFC 4291 section 2.5.5.2). */
function writeV6(at: usize, peers: Peers, from: usize, to: usize, length: u32): void {
  memory.fill(at, 0, IPV6_BYTES);
  store<u8>(at, 0x60);
  storeU16(at + 4, <u32>UDP_BYTES + length);
  store<u8>(at + 6, UDP);
  store<u8>(at + 7, HOPS);
  if (peers.kind(from) != NO_ADDRESS) memory.copy(at + 8, from, 16);
  if (peers.kind(to) != NO_ADDRESS) memory.copy(at + 24, to, 16);
}

/** RFC 1071. */
function headerChecksum(at: usize): u32 {
  let sum: u32 = 0;
  for (let i: usize = 0; i < IPV4_BYTES; i += 2) sum += <u32>bswap<u16>(load<u16>(at + i));
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
