// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { AF_INET, AF_INET6, readSockaddr, SOCKADDR_BYTES, writeSockaddr } from "../../datapath/sockaddr.ts";
import type { SocketAddress } from "../../plan.ts";
import {
  addressOf,
  bind,
  close,
  connect,
  getsockname,
  getsockopt,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  ioError,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_REUSEPORT,
  SO_RXQ_OVFL,
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

/** At 4 Gbit/s this is 64 ms, longer than a worker takes to be rebuilt. */
const LISTENER_BUFFER_BYTES = 32 << 20;
const SESSION_BUFFER_BYTES = 4 << 20;

// Arguments that calls take by address: an option's value at 0, its length at 4, a socket address at 8.
const scratch = new Uint8Array(new WebAssembly.Memory({ initial: 1, maximum: 1 }).buffer);
const ints = new Int32Array(scratch.buffer);
const scratchAddress = addressOf(scratch);
const NAME = 8;

/** Opens a non-blocking UDP socket bound to `address`. Throws an IoError. */
export function openBoundSocket(address: SocketAddress, isPortShared: boolean): number {
  const length = writeSockaddr(scratch, NAME, address);
  const fd = openSocket(scratch[NAME] === AF_INET6 ? AF_INET6 : AF_INET);
  if (fd < 0) throw ioError("socket");
  if (isPortShared) setOption(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (scratch[NAME] === AF_INET6) setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (bind(fd, scratchAddress + NAME, length) === 0) {
    setReceiveOptions(fd, LISTENER_BUFFER_BYTES);
    return fd;
  }
  const error = ioError(`bind ${address.address} port ${address.port}`);
  close(fd);
  throw error;
}

/** Opens a non-blocking UDP socket connected to the `struct sockaddr` at a native address, or returns -1. */
export function openConnectedSocket(
  family: number,
  sockaddr: number,
  length: number,
  preferGro: boolean,
): number {
  const fd = openSocket(family);
  if (fd < 0) return -1;
  if (connect(fd, sockaddr, length) !== 0) {
    close(fd);
    return -1;
  }
  setReceiveOptions(fd, SESSION_BUFFER_BYTES);
  if (preferGro) setGro(fd, true);
  return fd;
}

export function setGro(fd: number, isOn: boolean): void {
  setOption(fd, SOL_UDP, UDP_GRO, isOn ? 1 : 0);
}

/** The address that a socket is bound to. */
export function localAddress(fd: number): SocketAddress {
  ints[1] = SOCKADDR_BYTES;
  if (getsockname(fd, scratchAddress + NAME, scratchAddress + 4) !== 0) throw ioError("getsockname");
  return readSockaddr(scratch, NAME);
}

/** The receive buffer that the kernel granted, in bytes of its own accounting. */
export function receiveBufferBytes(fd: number): number {
  ints[1] = 4;
  return getsockopt(fd, SOL_SOCKET, SO_RCVBUF, scratchAddress, scratchAddress + 4) === 0 ? ints[0]! : 0;
}

function openSocket(family: number): number {
  return socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

function setReceiveOptions(fd: number, bufferBytes: number): void {
  // Going past net.core.rmem_max needs CAP_NET_ADMIN; without it as much as is allowed.
  if (!setOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, bufferBytes))
    setOption(fd, SOL_SOCKET, SO_RCVBUF, bufferBytes);
  setOption(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
  setOption(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
}

function setOption(fd: number, level: number, name: number, value: number): boolean {
  ints[0] = value;
  return setsockopt(fd, level, name, scratchAddress, 4) === 0;
}
