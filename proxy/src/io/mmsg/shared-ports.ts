// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { ProbeTable } from "../../datapath/probe-table.ts";
import { addressHash, type SessionTable } from "../../datapath/session-table.ts";
import { AF_INET, SOCKADDR_WORDS, sockaddrLength } from "../../datapath/sockaddr.ts";

/** The most ports of one family of addresses that the sessions of a worker share. */
export const MOST_PORTS = 1024;
/** Until there are so many, each session that needs one gets a new one: then a port comes to an endpoint again late. */
const FEW_PORTS = 64;

/** The sockets behind the ports: numbers [0, MOST_PORTS) are of IPv4, as many behind them of IPv6. */
export interface PortSockets {
  isOpen(port: number): boolean;
  /** Returns false where the system, or a limit, refuses. */
  open(port: number): boolean;
}

/** An endpoint that sessions reach from shared ports. */
interface PortUser {
  sessions: number;
  /** Where the search for a port begins, counted within its family. */
  next: number;
}

/**
 * Which session has which local port, where sessions to different endpoints share ports: what comes to a port is told apart
 * by the address that it comes from, so two sessions to one endpoint never have the same. A port that an endpoint's session
 * gave back is used for that endpoint again as late as possible, so that answers which come late reach nobody.
 */
export class SharedPorts {
  readonly #sessions: SessionTable;
  readonly #sockets: PortSockets;
  readonly #random: () => number;
  /** The records' addresses, as the ring's are read. */
  readonly #words: Uint32Array;
  readonly #bytes: Buffer;
  /** By port and endpoint; made for the first session that shares a port. */
  #table: ProbeTable | undefined;
  readonly #users = new Map<string, PortUser>();
  /** How many ports are open, IPv4 and IPv6. */
  readonly #open: [number, number] = [0, 0];

  /** Takes over the sessions that share ports, as an earlier worker left them. `random` gives numbers from 0 to below 1. */
  constructor(sessions: SessionTable, sockets: PortSockets, random: () => number = Math.random) {
    this.#sessions = sessions;
    this.#sockets = sockets;
    this.#random = random;
    this.#words = new Uint32Array(sessions.words.buffer);
    this.#bytes = Buffer.from(sessions.words.buffer);
    for (const family of [0, 1])
      while (this.#open[family]! < MOST_PORTS && sockets.isOpen(family * MOST_PORTS + this.#open[family]!))
        this.#open[family]!++;
    sessions.forEach((session) => {
      if (sessions.port(session) >= 0) this.#enter(session, this.#userOf(session));
    });
  }

  /**
   * Gives a session a port that no other session to its endpoint has, and notes it in the session's record. Returns the port, or
   * -1 where all of them have one and there can be no more.
   */
  take(session: number): number {
    const family = this.#familyOf(session);
    const user = this.#userOf(session);
    // Where most ports are taken, finding another one takes long.
    if (this.#open[family] < FEW_PORTS || user.sessions * 4 >= this.#open[family] * 3) this.#addPort(family);
    const count = this.#open[family];
    if (user.sessions >= count) return -1;
    const endpoint = this.#sessions.endpoint(session) >> 2;
    let port: number;
    do {
      port = family * MOST_PORTS + (user.next % count);
      user.next = (user.next + 1) % count;
    } while (this.find(port, this.#words, endpoint) >= 0);
    this.#sessions.setPort(session, port);
    this.#enter(session, user);
    return port;
  }

  /** Takes the port of a session back. The session's endpoint is still what it was. */
  release(session: number): void {
    const key = this.#keyOf(session);
    const user = this.#users.get(key);
    this.#table?.remove(session);
    this.#sessions.setPort(session, -1);
    if (user !== undefined && --user.sessions === 0) this.#users.delete(key);
  }

  /** The session at a port whose endpoint's address stands at word `name` of `from`, or -1. */
  find(port: number, from: Uint32Array, name: number): number {
    if (this.#table === undefined) return -1;
    const { slots, mask } = this.#table;
    for (let at = addressHash(port, from, name, -1) & mask; ; at = (at + 1) & mask) {
      const session = slots[at]! - 1;
      if (session < 0 || this.#isAt(session, port, from, name)) return session;
    }
  }

  #isAt(session: number, port: number, from: Uint32Array, name: number): boolean {
    const words = this.#words;
    if (this.#sessions.port(session) !== port) return false;
    const endpoint = this.#sessions.endpoint(session) >> 2;
    if (words[endpoint] !== from[name] || words[endpoint + 1] !== from[name + 1]) return false;
    if ((from[name]! & 0xffff) === AF_INET) return true;
    for (let i = 2; i < SOCKADDR_WORDS; i++) if (words[endpoint + i] !== from[name + i]) return false;
    return true;
  }

  #enter(session: number, user: PortUser): void {
    this.#table ??= new ProbeTable(this.#sessions.capacity, (entered) => this.#hashOf(entered));
    this.#table.insert(session, this.#hashOf(session));
    user.sessions++;
    this.#users.set(this.#keyOf(session), user);
  }

  #addPort(family: 0 | 1): void {
    const count = this.#open[family];
    if (count < MOST_PORTS && this.#sockets.open(family * MOST_PORTS + count)) this.#open[family]++;
  }

  /** A user that is new is remembered once it has a session. */
  #userOf(session: number): PortUser {
    const next = Math.floor(this.#random() * MOST_PORTS);
    return this.#users.get(this.#keyOf(session)) ?? { sessions: 0, next };
  }

  /** Endpoints of several clusters may be one address. */
  #keyOf(session: number): string {
    const endpoint = this.#sessions.endpoint(session);
    return this.#bytes.toString("latin1", endpoint, endpoint + sockaddrLength(this.#words[endpoint >> 2]!));
  }

  #familyOf(session: number): 0 | 1 {
    return (this.#words[this.#sessions.endpoint(session) >> 2]! & 0xffff) === AF_INET ? 0 : 1;
  }

  #hashOf(session: number): number {
    return addressHash(this.#sessions.port(session), this.#words, this.#sessions.endpoint(session) >> 2, -1);
  }
}
