// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { isIP } from "node:net";
import type { SocketAddress } from "../plan.ts";

/** Bytes that a socket address takes wherever this proxy keeps one: `struct sockaddr_in6`, the larger of the two. */
export const SOCKADDR_BYTES = 28;
export const SOCKADDR_WORDS = SOCKADDR_BYTES / 4;
export const AF_INET = 2;
export const AF_INET6 = 10;
/** `struct sockaddr_in`. */
export const SOCKADDR_IN_BYTES = 16;

/**
 * Writes `struct sockaddr_in` or `sockaddr_in6` (Linux, ip(7), ipv6(7)) at `offset` and returns its length.
 * An address that is no IP literal throws a TypeError: names are resolved long before.
 */
export function writeSockaddr(bytes: Uint8Array, offset: number, { address, port }: SocketAddress): number {
  const family = isIP(address);
  bytes.fill(0, offset, offset + SOCKADDR_BYTES);
  bytes[offset + 2] = port >> 8;
  bytes[offset + 3] = port;
  if (family === 4) {
    bytes[offset] = AF_INET;
    bytes.set(address.split(".").map(Number), offset + 4);
    return SOCKADDR_IN_BYTES;
  }
  if (family === 6) {
    bytes[offset] = AF_INET6;
    bytes.set(ipv6Bytes(address), offset + 8);
    return SOCKADDR_BYTES;
  }
  throw new TypeError(`"${address}" is not an IP address`);
}

/** The length of the address whose first word is this: by its family. */
export function sockaddrLength(firstWord: number): number {
  return (firstWord & 0xffff) === AF_INET ? SOCKADDR_IN_BYTES : SOCKADDR_BYTES;
}

/** Reads what `writeSockaddr` writes. */
export function readSockaddr(bytes: Uint8Array, offset: number): SocketAddress {
  const port = (bytes[offset + 2]! << 8) | bytes[offset + 3]!;
  const isVersion4 = bytes[offset] === AF_INET;
  return { address: readIp(bytes, offset + (isVersion4 ? 4 : 8), isVersion4), port };
}

/** Reads an IP address of 4 or 16 bytes in network order. */
export function readIp(bytes: Uint8Array, offset: number, isVersion4: boolean): string {
  if (isVersion4) return bytes.subarray(offset, offset + 4).join(".");
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((bytes[offset + 2 * i]! << 8) | bytes[offset + 2 * i + 1]!).toString(16),
  );
  // The URL parser writes the canonical short form (RFC 5952).
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

/** Whether it is `0.0.0.0` or `::`, every address of the host. */
export function isWildcard(bytes: Uint8Array, offset: number): boolean {
  const isVersion4 = bytes[offset] === AF_INET;
  const start = offset + (isVersion4 ? 4 : 8);
  return bytes.subarray(start, start + (isVersion4 ? 4 : 16)).every((byte) => byte === 0);
}

/** `ip:port`, IPv6 in brackets. */
export function formatSocketAddress({ address, port }: SocketAddress): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Whether two addresses name the same port of the same host, however an IPv6 address is written. */
export function isSameSocketAddress(a: SocketAddress, b: SocketAddress): boolean {
  const encoded = (address: SocketAddress): Uint8Array => {
    const bytes = new Uint8Array(SOCKADDR_BYTES);
    writeSockaddr(bytes, 0, address);
    return bytes;
  };
  return Buffer.compare(encoded(a), encoded(b)) === 0;
}

function ipv6Bytes(address: string): Uint8Array {
  // The URL parser canonicalises every legal spelling, embedded IPv4 included, to hexadecimal groups.
  const [head = "", tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const groups = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const all = [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}
