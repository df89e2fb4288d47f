// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { writeSockaddr } from "../../datapath/sockaddr.ts";
import { IoError } from "../io-backend.ts";
import {
  IP_MULTICAST_ALL,
  IP_MULTICAST_IF,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_MULTICAST_ALL,
  IPV6_MULTICAST_IF,
  ifNameToIndex,
  ioError,
  MCAST_JOIN_GROUP,
  MCAST_JOIN_SOURCE_GROUP,
  setsockopt,
} from "./libc.ts";
import { NativeMemory } from "./native-memory.ts";

/** `struct group_source_req` (RFC 3678 section 5.1.3) on 64-bit Linux; `struct group_req` is its first part. */
const GROUP = 8;
const SOURCE = GROUP + 128;
const GROUP_REQ_BYTES = SOURCE;
const GROUP_SOURCE_REQ_BYTES = SOURCE + 128;
/** `struct ip_mreqn` (ip(7)): two addresses that stay zero, and the index. */
const MREQN_BYTES = 12;
const MREQN_INDEX_WORD = 2;

const scratch = new NativeMemory(GROUP_SOURCE_REQ_BYTES);

/** The index of a network interface; 0, the system's choice, where it is undefined. Throws an IoError. */
export function interfaceIndex(name: string | undefined): number {
  if (name === undefined) return 0;
  const index = ifNameToIndex(name);
  if (index === 0) throw new IoError("ENODEV", `network interface ${name}`);
  return index;
}

/**
 * Lets a socket that is bound to a multicast group have the group's datagrams: of these sources alone (RFC 4607), or of
 * anyone where there are none, from this interface. It leaves the group when it is closed. Throws an IoError.
 */
export function joinGroup(fd: number, group: string, sources: readonly string[], index: number): void {
  const isVersion6 = group.includes(":");
  const level = isVersion6 ? IPPROTO_IPV6 : IPPROTO_IP;
  // Without this the socket would also get what other sockets of this host have joined for.
  scratch.words[0] = 0;
  setsockopt(fd, level, isVersion6 ? IPV6_MULTICAST_ALL : IP_MULTICAST_ALL, scratch.address, 4);
  scratch.bytes.fill(0, 0, GROUP_SOURCE_REQ_BYTES);
  scratch.words[0] = index;
  writeSockaddr(scratch.bytes, GROUP, { address: group, port: 0 });
  if (sources.length === 0 && setsockopt(fd, level, MCAST_JOIN_GROUP, scratch.address, GROUP_REQ_BYTES) !== 0)
    throw ioError(`join ${group}`);
  for (const source of sources) {
    writeSockaddr(scratch.bytes, SOURCE, { address: source, port: 0 });
    if (setsockopt(fd, level, MCAST_JOIN_SOURCE_GROUP, scratch.address, GROUP_SOURCE_REQ_BYTES) !== 0)
      throw ioError(`join ${group} from ${source}`);
  }
}

/** What the socket sends to multicast groups leaves by this interface. Throws an IoError. */
export function sendThrough(fd: number, isVersion6: boolean, index: number): void {
  scratch.bytes.fill(0, 0, MREQN_BYTES);
  scratch.words[isVersion6 ? 0 : MREQN_INDEX_WORD] = index;
  const [level, name] = isVersion6 ? [IPPROTO_IPV6, IPV6_MULTICAST_IF] : [IPPROTO_IP, IP_MULTICAST_IF];
  if (setsockopt(fd, level, name, scratch.address, isVersion6 ? 4 : MREQN_BYTES) !== 0)
    throw ioError(`send multicast by interface ${index}`);
}
