// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import {
  close,
  getsockopt,
  IP_TOS,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_TCLASS,
  IPV6_UNICAST_HOPS,
} from "./libc.ts";
import { NativeMemory } from "./native-memory.ts";
import { localAddress, openMediaSocket } from "./sockets.ts";

const scratch = new NativeMemory(8);

function option(fd: number, level: number, name: number): number | undefined {
  const { words, address } = scratch;
  words[1] = 4;
  return getsockopt(fd, level, name, address, address + 4) === 0 ? words[0] : undefined;
}

test.each([
  ["127.0.0.1", IPPROTO_IP, IP_TOS, IP_TTL],
  ["::1", IPPROTO_IPV6, IPV6_TCLASS, IPV6_UNICAST_HOPS],
] as const)("a media socket at %s has the DSCP and TTL of its leg", (address, level, tos, ttl) => {
  const fd = openMediaSocket({ address: { address, port: 0 }, dscp: 46, ttl: 7, isSource: true });
  try {
    expect([option(fd, level, tos), option(fd, level, ttl)]).toEqual([46 << 2, 7]);
  } finally {
    close(fd);
  }
});

test("a media port is one socket's alone", () => {
  const options = { dscp: undefined, ttl: undefined, isSource: false };
  const fd = openMediaSocket({ ...options, address: { address: "127.0.0.1", port: 0 } });
  try {
    expect(() => openMediaSocket({ ...options, address: localAddress(fd) })).toThrow("EADDRINUSE");
  } finally {
    close(fd);
  }
});
