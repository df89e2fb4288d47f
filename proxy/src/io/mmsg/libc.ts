// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { constants } from "node:os";
import koffi from "koffi";
import { IoError } from "../io-backend.ts";

// Addresses go as size_t and Numbers: half the cost of typed arrays, and user-space addresses fit 2^53.
const libc = koffi.load(null);

/** The system calls, with the names and meaning of section 2 of the manual. Negative results: see `errno`. */
export const socket = libc.func("int socket(int, int, int)") as (
  domain: number,
  type: number,
  protocol: number,
) => number;
export const bind = libc.func("int bind(int, size_t, uint)") as (
  fd: number,
  address: number,
  length: number,
) => number;
export const connect = libc.func("int connect(int, size_t, uint)") as (
  fd: number,
  address: number,
  length: number,
) => number;
export const close = libc.func("int close(int)") as (fd: number) => number;
export const getsockname = libc.func("int getsockname(int, size_t, size_t)") as (
  fd: number,
  address: number,
  length: number,
) => number;
export const setsockopt = libc.func("int setsockopt(int, int, int, size_t, uint)") as (
  fd: number,
  level: number,
  name: number,
  value: number,
  length: number,
) => number;
export const getsockopt = libc.func("int getsockopt(int, int, int, size_t, size_t)") as (
  fd: number,
  level: number,
  name: number,
  value: number,
  length: number,
) => number;
export const recvmmsg = libc.func("int recvmmsg(int, size_t, uint, int, size_t)") as (
  fd: number,
  messages: number,
  count: number,
  flags: number,
  timeout: number,
) => number;
export const sendmmsg = libc.func("int sendmmsg(int, size_t, uint, int)") as (
  fd: number,
  messages: number,
  count: number,
  flags: number,
) => number;
export const send = libc.func("int send(int, size_t, size_t, int)") as (
  fd: number,
  data: number,
  length: number,
  flags: number,
) => number;
export const epollCreate = libc.func("int epoll_create1(int)") as (flags: number) => number;
export const epollControl = libc.func("int epoll_ctl(int, int, int, size_t)") as (
  epoll: number,
  operation: number,
  fd: number,
  event: number,
) => number;
export const epollWait = libc.func("int epoll_wait(int, size_t, int, int)") as (
  epoll: number,
  events: number,
  count: number,
  timeoutMs: number,
) => number;
export const ifNameToIndex = libc.func("uint if_nametoindex(const char *)") as (name: string) => number;
export const eventfd = libc.func("int eventfd(uint, int)") as (initial: number, flags: number) => number;
export const read = libc.func("int read(int, size_t, size_t)") as (
  fd: number,
  data: number,
  length: number,
) => number;
export const write = libc.func("int write(int, size_t, size_t)") as (
  fd: number,
  data: number,
  length: number,
) => number;

const syscall = libc.func("long syscall(long, size_t, size_t, size_t, size_t, size_t, size_t)") as (
  number: number,
  ...args: [number, number, number, number, number, number]
) => number;
// The C library has no functions for these. Their numbers are the same on all architectures.
const IO_URING_SETUP = 425;
const IO_URING_ENTER = 426;
export const ioUringSetup = (entries: number, params: number): number =>
  syscall(IO_URING_SETUP, entries, params, 0, 0, 0, 0);
export const ioUringEnter = (fd: number, submissions: number): number =>
  syscall(IO_URING_ENTER, fd, submissions, 0, 0, 0, 0);

/** The errno of the call just made. Anything in between may change it. */
export function errno(): number {
  return koffi.errno();
}

/** The native address of a memory that never grows; it does not keep that memory from being collected. */
export function addressOf(bytes: Uint8Array): number {
  return Number(koffi.address(bytes));
}

/** The errno of the call just made, as an error that names it. */
export function ioError(operation: string): IoError {
  const code = koffi.errno();
  const name = Object.entries(constants.errno).find(([, value]) => value === code)?.[0];
  return new IoError(name ?? `errno ${code}`, operation);
}

// Values of include/uapi/linux and asm-generic: the same on x86-64, arm64 and riscv64.
export const SOCK_DGRAM = 2;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_REUSEPORT = 15;
export const SO_SNDBUFFORCE = 32;
export const SO_RCVBUFFORCE = 33;
export const SO_TIMESTAMPNS = 35;
export const SO_RXQ_OVFL = 40;
export const IPPROTO_IP = 0;
export const IP_TOS = 1;
export const IP_TTL = 2;
export const IP_PKTINFO = 8;
export const IP_RECVERR = 11;
export const IP_MULTICAST_IF = 32;
export const IP_MULTICAST_TTL = 33;
export const IP_MULTICAST_ALL = 49;
export const IPPROTO_IPV6 = 41;
export const IPV6_UNICAST_HOPS = 16;
export const IPV6_MULTICAST_IF = 17;
export const IPV6_MULTICAST_HOPS = 18;
export const IPV6_MULTICAST_ALL = 29;
export const IPV6_TCLASS = 67;
export const IPV6_RECVERR = 25;
export const IPV6_V6ONLY = 26;
export const IPV6_RECVPKTINFO = 49;
export const IPV6_PKTINFO = 50;
/** At the level of either protocol (RFC 3678). */
export const MCAST_JOIN_GROUP = 42;
export const MCAST_JOIN_SOURCE_GROUP = 46;
export const SOL_UDP = 17;
export const UDP_SEGMENT = 103;
export const UDP_GRO = 104;
export const MSG_DONTWAIT = 0x40;
export const MSG_ERRQUEUE = 0x2000;
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
export const EPOLLIN = 1;
export const EPOLLERR = 8;
export const EFD_NONBLOCK = 0o4000;
export const EFD_CLOEXEC = 0o2000000;
export const EPOLL_CLOEXEC = 0o2000000;
export const EINTR = 4;
export const EIO = 5;
export const EAGAIN = 11;
export const EINVAL = 22;
export const ENFILE = 23;
export const EMFILE = 24;
export const ENOSPC = 28;
export const EMSGSIZE = 90;
export const ENOBUFS = 105;
export const ECONNREFUSED = 111;
