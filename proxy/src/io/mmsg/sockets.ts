// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { isMulticast } from "../../datapath/is-multicast.ts";
import {
  AF_INET,
  AF_INET6,
  isWildcard,
  readSockaddr,
  SOCKADDR_BYTES,
  writeSockaddr,
} from "../../datapath/sockaddr.ts";
import type { SocketAddress } from "../../plan.ts";
import type { MediaSocketOptions } from "../io-backend.ts";
import {
  bind,
  close,
  connect,
  EMFILE,
  errno,
  getsockname,
  getsockopt,
  IP_MULTICAST_TTL,
  IP_PKTINFO,
  IP_RECVERR,
  IP_TOS,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_MULTICAST_HOPS,
  IPV6_RECVERR,
  IPV6_RECVPKTINFO,
  IPV6_TCLASS,
  IPV6_UNICAST_HOPS,
  IPV6_V6ONLY,
  ioError,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SO_RXQ_OVFL,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SO_TIMESTAMPNS,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  SOL_UDP,
  setsockopt,
  socket,
  UDP_GRO,
} from "./libc.ts";
import { interfaceIndex, joinGroup, sendThrough } from "./multicast.ts";
import { NativeMemory } from "./native-memory.ts";

/** At 4 Gbit/s this is 64 ms, longer than a worker takes to be rebuilt. */
const LISTENER_BUFFER_BYTES = 32 << 20;
const SESSION_BUFFER_BYTES = 4 << 20;
/** Only RTCP, or what keeps a NAT open, comes to a receiver's socket. */
const RECEIVER_BUFFER_BYTES = 256 << 10;
/** A burst of 64 datagrams to 50 receivers at once. */
const MEDIA_SEND_BUFFER_BYTES = 8 << 20;

// Arguments that calls take by address: an option's value at 0, its length at 4, a socket address at 8.
const NAME = 8;
/** `sin6_scope_id` of the address. */
const SCOPE_WORD = (NAME + 24) / 4;
const scratch = new NativeMemory(NAME + SOCKADDR_BYTES);

/**
 * Opens a non-blocking UDP socket bound to `address`. Where that is a multicast group, `groupInterface` is the index of
 * its interface, or 0, and others may listen to it as well. Throws an IoError.
 */
export function openBoundSocket(
  address: SocketAddress,
  isPortShared: boolean,
  groupInterface?: number,
): number {
  const length = writeSockaddr(scratch.bytes, NAME, address);
  const fd = openSocket(scratch.bytes[NAME] === AF_INET6 ? AF_INET6 : AF_INET);
  if (fd < 0) throw ioError("socket");
  if (isPortShared) setOption(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (groupInterface !== undefined) {
    setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    // A group of link-local scope exists on each interface; an IPv4 address has no such field.
    scratch.words[SCOPE_WORD] = groupInterface;
  }
  const isVersion6 = scratch.bytes[NAME] === AF_INET6;
  if (isVersion6) setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  // On every address it has to be told which one a datagram was sent to, so that answers leave from there.
  if (isWildcard(scratch.bytes, NAME))
    setOption(fd, isVersion6 ? IPPROTO_IPV6 : IPPROTO_IP, isVersion6 ? IPV6_RECVPKTINFO : IP_PKTINFO, 1);
  if (bind(fd, scratch.address + NAME, length) === 0) {
    setReceiveOptions(fd, LISTENER_BUFFER_BYTES);
    return fd;
  }
  const error = ioError(`bind ${address.address} port ${address.port}`);
  close(fd);
  throw error;
}

/**
 * Opens a non-blocking UDP socket connected to the `struct sockaddr` at a native address. Returns minus the errno where the
 * system refuses, EMFILE also where its file descriptor would not be below `below`.
 */
export function openConnectedSocket(
  family: number,
  sockaddr: number,
  length: number,
  preferGro: boolean,
  below = Number.POSITIVE_INFINITY,
): number {
  const fd = openSocketBelow(family, below);
  if (fd < 0) return fd;
  if (connect(fd, sockaddr, length) !== 0) return giveUp(fd);
  setReceiveOptions(fd, SESSION_BUFFER_BYTES);
  if (preferGro) setGro(fd, true);
  return fd;
}

/**
 * Opens a non-blocking UDP socket for datagrams to and from many addresses, with a port of the system's choice that nobody
 * else has, at whatever local address routes choose. It hands over runs of datagrams, and keeps what ICMP says of their
 * receivers for `MessageReceiver.receiveErrors`. Results are those of `openConnectedSocket`.
 */
export function openSharedSocket(family: number, below: number): number {
  const fd = openSocketBelow(family, below);
  if (fd < 0) return fd;
  const isVersion6 = family === AF_INET6;
  if (isVersion6) setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  // Else nobody would tell that an endpoint is gone, as connected sockets do.
  setOption(fd, isVersion6 ? IPPROTO_IPV6 : IPPROTO_IP, isVersion6 ? IPV6_RECVERR : IP_RECVERR, 1);
  const length = writeSockaddr(scratch.bytes, NAME, { address: isVersion6 ? "::" : "0.0.0.0", port: 0 });
  if (bind(fd, scratch.address + NAME, length) !== 0) return giveUp(fd);
  setReceiveOptions(fd, LISTENER_BUFFER_BYTES);
  setGro(fd, true);
  return fd;
}

/** Opens a socket for a leg of a flow, with a port that nobody else has unless it is a group's. Throws an IoError. */
export function openMediaSocket(options: MediaSocketOptions): number {
  const { address, dscp, ttl, isSource } = options;
  const index = interfaceIndex(options.interface);
  const isGroup = isMulticast(address.address);
  const fd = openBoundSocket(address, false, isGroup ? index : undefined);
  const isVersion6 = address.address.includes(":");
  const level = isVersion6 ? IPPROTO_IPV6 : IPPROTO_IP;
  try {
    if (isGroup) joinGroup(fd, address.address, options.sourceFilter ?? [], index);
    else if (index > 0) sendThrough(fd, isVersion6, index);
  } catch (error) {
    close(fd);
    throw error;
  }
  if (dscp !== undefined) setOption(fd, level, isVersion6 ? IPV6_TCLASS : IP_TOS, dscp << 2);
  if (ttl !== undefined) {
    setOption(fd, level, isVersion6 ? IPV6_UNICAST_HOPS : IP_TTL, ttl);
    setOption(fd, level, isVersion6 ? IPV6_MULTICAST_HOPS : IP_MULTICAST_TTL, ttl);
  }
  setReceiveOptions(fd, isSource ? SESSION_BUFFER_BYTES : RECEIVER_BUFFER_BYTES);
  if (!setOption(fd, SOL_SOCKET, SO_SNDBUFFORCE, MEDIA_SEND_BUFFER_BYTES))
    setOption(fd, SOL_SOCKET, SO_SNDBUF, MEDIA_SEND_BUFFER_BYTES);
  if (isSource) setGro(fd, true);
  return fd;
}

export function setGro(fd: number, isOn: boolean): void {
  setOption(fd, SOL_UDP, UDP_GRO, isOn ? 1 : 0);
}

/** The address that a socket is bound to. */
export function localAddress(fd: number): SocketAddress {
  scratch.words[1] = SOCKADDR_BYTES;
  if (getsockname(fd, scratch.address + NAME, scratch.address + 4) !== 0) throw ioError("getsockname");
  return readSockaddr(scratch.bytes, NAME);
}

/** The receive buffer that the kernel granted, in bytes of its own accounting. */
export function receiveBufferBytes(fd: number): number {
  scratch.words[1] = 4;
  return getsockopt(fd, SOL_SOCKET, SO_RCVBUF, scratch.address, scratch.address + 4) === 0
    ? scratch.words[0]!
    : 0;
}

function openSocket(family: number): number {
  return socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/** A socket whose file descriptor is below this one, or minus the errno. */
function openSocketBelow(family: number, below: number): number {
  const fd = openSocket(family);
  if (fd < 0) return -errno();
  if (fd < below) return fd;
  close(fd);
  return -EMFILE;
}

/** Closes a socket whose last call failed, and returns minus that call's errno. */
function giveUp(fd: number): number {
  const error = errno();
  close(fd);
  return -error;
}

function setReceiveOptions(fd: number, bufferBytes: number): void {
  // Going past net.core.rmem_max needs CAP_NET_ADMIN; without it as much as is allowed.
  if (!setOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, bufferBytes))
    setOption(fd, SOL_SOCKET, SO_RCVBUF, bufferBytes);
  setOption(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
  setOption(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
}

function setOption(fd: number, level: number, name: number, value: number): boolean {
  scratch.words[0] = value;
  return setsockopt(fd, level, name, scratch.address, 4) === 0;
}
