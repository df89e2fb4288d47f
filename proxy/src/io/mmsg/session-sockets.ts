// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { SessionTable } from "../../datapath/session-table.ts";
import { AF_INET, AF_INET6 } from "../../datapath/sockaddr.ts";
import { addressOf, close, EAGAIN, EMFILE, ENFILE, ENOSPC } from "./libc.ts";
import { MOST_PORTS, SharedPorts } from "./shared-ports.ts";
import { readSocketLimits, type SocketLimits } from "./socket-limits.ts";
import { openConnectedSocket, openSharedSocket } from "./sockets.ts";

/**
 * With more sockets than these a datagram costs more, for its own is not in the cache when it comes: with 100,000 sessions and
 * 150,000 datagrams a second 3.7 µs where 17,500 have one of their own, and 2.9 where 1,800 have.
 */
const WORTH_OWNING = 4_096;

/** What outlives a worker; all of it is shared memory. */
export interface SessionSocketMemory {
  /** By port that sessions share: the file descriptor of its socket, or -1. */
  readonly shared: Int32Array;
  /** How many sockets are sessions' own, over all workers of the process, in its one element. */
  readonly own: Int32Array;
}

/** Memory for one worker; `own` is that of the process. */
export function createSessionSocketMemory(own: Int32Array): SessionSocketMemory {
  return { shared: new Int32Array(new SharedArrayBuffer(2 * MOST_PORTS * 4)).fill(-1), own };
}

/** Closes the sockets that sessions of a worker shared, which is no more. */
export function closeSharedSockets({ shared }: SessionSocketMemory): void {
  for (const fd of shared) if (fd >= 0) close(fd);
  shared.fill(-1);
}

/** Has a socket watched: that of a session, or that of a port that sessions share. Returns false where that is refused. */
export interface SocketWatch {
  session(fd: number, session: number): boolean;
  port(fd: number, port: number): boolean;
}

/**
 * The sockets by which sessions speak to their endpoints. The first ones have a connected one each, where the kernel itself
 * sorts out what comes. Where there are many, or files or ports run out, sessions to different endpoints share a socket and its
 * port; those that find none have a connected one again, as long as there are any. No other socket, of whatever process, may
 * have a port that is shared: it was bound without SO_REUSEADDR.
 */
export class SessionSockets {
  readonly #sessions: SessionTable;
  readonly #memory: SessionSocketMemory;
  readonly #watch: SocketWatch;
  readonly #limits: SocketLimits;
  readonly #address: number;
  readonly #ports: SharedPorts;

  constructor(
    sessions: SessionTable,
    memory: SessionSocketMemory,
    watch: SocketWatch,
    limits: SocketLimits = readSocketLimits(),
  ) {
    this.#sessions = sessions;
    this.#memory = memory;
    this.#watch = watch;
    this.#limits = limits;
    this.#address = addressOf(sessions.bytes);
    this.#ports = new SharedPorts(sessions, {
      isOpen: (port) => memory.shared[port]! >= 0,
      open: (port) => this.#openPort(port),
    });
  }

  /** Gives a session a socket to its endpoint. Returns false where there is none to be had, now. */
  open(session: number, preferGro: boolean): boolean {
    const own = Atomics.load(this.#memory.own, 0);
    if (own >= WORTH_OWNING && this.#share(session)) return true;
    const result = own < this.#limits.mostOwn ? this.#openOwn(session, preferGro) : -EMFILE;
    if (result >= 0) return true;
    // Where there is no route, or a rule against it, another socket would not help.
    return isExhausted(-result) && this.#share(session);
  }

  close(session: number): void {
    const fd = this.#sessions.socket(session);
    if (fd < 0) return;
    // A worker that ends in between leaves a session without a socket, not one with somebody else's.
    this.#sessions.setSocket(session, -1);
    if (this.#sessions.port(session) >= 0) this.#ports.release(session);
    else this.#closeOwn(fd);
  }

  /** The socket of a port that sessions share. */
  socketAt(port: number): number {
    return this.#memory.shared[port]!;
  }

  /** The session at such a port whose endpoint's address stands at word `name` of `from`, or -1. */
  sessionAt(port: number, from: Uint32Array, name: number): number {
    return this.#ports.find(port, from, name);
  }

  /** Returns minus the errno where the system refuses. */
  #openOwn(session: number, preferGro: boolean): number {
    const endpoint = this.#sessions.endpoint(session);
    const family = this.#sessions.bytes[endpoint] === AF_INET6 ? AF_INET6 : AF_INET;
    const length = this.#sessions.endpointLength(session);
    const below = this.#limits.ownBelow;
    const fd = openConnectedSocket(family, this.#address + endpoint, length, preferGro, below);
    if (fd < 0) return fd;
    Atomics.add(this.#memory.own, 0, 1);
    this.#sessions.setSocket(session, fd);
    return this.#watch.session(fd, session) ? fd : -ENOSPC;
  }

  #closeOwn(fd: number): void {
    // Closing takes the socket out of the epoll set, too: nothing else holds it.
    close(fd);
    Atomics.sub(this.#memory.own, 0, 1);
  }

  #share(session: number): boolean {
    const port = this.#ports.take(session);
    if (port < 0) return false;
    this.#sessions.setSocket(session, this.socketAt(port));
    return true;
  }

  #openPort(port: number): boolean {
    const fd = openSharedSocket(port < MOST_PORTS ? AF_INET : AF_INET6, this.#limits.sharedBelow);
    if (fd < 0) return false;
    if (!this.#watch.port(fd, port)) {
      close(fd);
      return false;
    }
    this.#memory.shared[port] = fd;
    return true;
  }
}

/** Whether it was files or ephemeral ports that there were none of; connect(2) says EAGAIN for the latter. */
function isExhausted(error: number): boolean {
  return error === EMFILE || error === ENFILE || error === EAGAIN;
}
