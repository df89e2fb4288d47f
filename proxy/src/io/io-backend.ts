// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { MessagePort } from "node:worker_threads";
import type { Ring } from "../datapath/ring.ts";
import type { SessionTable } from "../datapath/session-table.ts";
import type { LegRecords } from "../flow/leg-records.ts";
import type { ListenerPlan, SocketAddress } from "../plan.ts";
import type { CopySender } from "./copy-sender.ts";

/**
 * A way to move datagrams between sockets and a worker's ring. A backend is a folder beside this file whose
 * `index.ts` exports `backend`; it is found by its folder's name.
 */
export interface IoBackend {
  /** The folder's name. */
  readonly name: string;
  /** Among those that can run here, the highest is chosen. */
  readonly priority: number;
  /** The most workers that can share a listener. */
  readonly maxConcurrency: number;
  /** Bytes of the ring that its native structures take. */
  readonly ringBytes: number;
  /** Why this backend cannot run here, or undefined where it can. */
  unavailable(): string | undefined;
  /** Main thread: makes what a worker needs to be woken and rebuilt. */
  createWorkerHandle(): WorkerHandle;
  /** Main thread: opens a listener's sockets, one for each worker. Throws an IoError. */
  openListener(plan: ListenerPlan, workers: number): Promise<OpenListener>;
  /** Main thread: opens a socket of a flow's leg, for one worker. Throws an IoError. */
  openMediaSocket(options: MediaSocketOptions): Promise<OpenMediaSocket>;
  /** Worker: what runs it. */
  createWorkerIo(handle: unknown, ring: Ring, sessions: SessionTable, legs: LegRecords): WorkerIo;
}

/** The main thread's hold on one worker's I/O. */
export interface WorkerHandle {
  /** Given to each incarnation of the worker; must survive `postMessage`. */
  readonly handle: unknown;
  /** Makes a worker that waits for datagrams look at its control port and at its rings. */
  wake(): void;
  /** Number of the eventfd by which other threads do the same, or -1 where they post to a port that it watches. */
  readonly eventfd: number;
  close(): void;
}

/** A listener whose sockets the main thread owns. */
export interface OpenListener {
  /** By worker; must survive `postMessage`. */
  readonly sockets: readonly unknown[];
  /** The address got, with the port that the kernel chose where 0 was asked for. */
  readonly localAddress: SocketAddress;
  /** What the kernel granted each socket, in bytes. */
  readonly receiveBufferBytes: number;
  /** Closes the sockets; every worker has let go of them before. */
  close(): void;
}

/** What a socket of a leg is like. */
export interface MediaSocketOptions {
  readonly address: SocketAddress;
  /** 0 to 63; the system's default where it is undefined, as with `ttl`. */
  readonly dscp: number | undefined;
  readonly ttl: number | undefined;
  /** Whether many datagrams come in: then the kernel may hand over runs of them, and buffers more. */
  readonly isSource: boolean;
  /** Name of the network interface for multicast; the system's choice where it is undefined. */
  readonly interface?: string | undefined;
  /** Where `address` is a multicast group: the senders that it is joined for; for anyone's where there are none. */
  readonly sourceFilter?: readonly string[];
}

/** A socket of a leg, which the main thread owns. */
export interface OpenMediaSocket {
  /** Must survive `postMessage`. */
  readonly socket: unknown;
  readonly localAddress: SocketAddress;
  /** Closes the socket; the worker has let go of it before. */
  close(): void;
}

/** What a worker's core does when its I/O has something for it. */
export interface IoEvents {
  /** The ring holds datagrams from clients of this listener; source addresses are in the slots' names. */
  onDownstream(listener: number): void;
  /** The ring holds datagrams from endpoints; each slot's session is set, to -1 where they came from none of its. */
  onUpstream(): void;
  /** The ring holds datagrams from media sockets; each slot's `session` is the socket's number. */
  onMedia(): void;
  /** Another thread rang: rings between threads may hold something. The batch is empty. */
  onWake(): void;
  /** So many datagrams of a session were handed to the system, for its endpoint. */
  onSentUpstream(session: number, datagrams: number): void;
  /** An endpoint's host said that nobody listens there (ICMP, or a failed send). */
  onSocketError(session: number): void;
  /** A message from the main thread. */
  onControl(message: unknown): void;
  /** Once a turn, after the datagrams. Returns how long the worker may sleep in milliseconds, or Infinity. */
  onTurn(nowMs: number): number;
  /** A turn begins, at this time, and ends: for whoever watches that turns do not last. */
  onTurnStart(nowMs: number): void;
  onTurnEnd(): void;
  readonly isStopRequested: boolean;
}

/** What a worker sent since it was last asked; the core takes the numbers and sets them to zero. */
export interface SendCounts {
  datagrams: number;
  bytes: number;
  /** Refused by the kernel: an error other than the next one. */
  errors: number;
  /** Dropped because the socket's send buffer or the device's queue was full. */
  overflows: number;
}

/** The worker's side of a backend. */
export interface WorkerIo {
  readonly sent: SendCounts;
  /** Datagrams that the kernel dropped because this worker was late (SO_RXQ_OVFL), by listener, since last taken. */
  takeReceiveOverflows(listener: number): number;
  /** Starts to receive from a listener, or changes how. */
  setListener(listener: number, socket: unknown, preferGro: boolean): void;
  /** Stops receiving from a listener. Its sockets stay open until the main thread closes them. */
  removeListener(listener: number): void;
  /**
   * Gives a session a socket to its endpoint, its own or one that it shares with sessions to other endpoints, and receives from
   * it. Returns false where the system refuses, or there are no files or ports left.
   */
  openSession(session: number, preferGro: boolean): boolean;
  closeSession(session: number): void;
  /** Resumes receiving for a session that an earlier worker opened. */
  adoptSession(session: number, preferGro: boolean): boolean;
  /** Sends what in slots [firstSlot, endSlot) is still Continue to its session's endpoint. */
  sendUpstream(firstSlot: number, endSlot: number): void;
  /**
   * The same to its session's client, from the listener's socket, and from the local address that the client speaks to where
   * the backend tells of it (`Ring.slotHasLocal`), for clients of a listener on every address take nothing else.
   */
  sendDownstream(firstSlot: number, endSlot: number): void;
  /**
   * Sends what has action Reply in the batch of this listener's datagrams back to where it came from, from its socket and,
   * as above, from where it was sent to.
   * Sessions play no part in it.
   */
  sendBack(listener: number): void;
  /** Starts to receive from a socket of a leg; `number` is below a million and dense. */
  setMediaSocket(number: number, socket: unknown): void;
  /** Stops receiving from it. It stays open until the main thread closes it. */
  removeMediaSocket(number: number): void;
  /** Sends from those sockets. */
  readonly copies: CopySender;
  /** Calls `onWake` when something is posted to `port`, where other threads have no eventfd to ring. */
  watchPort(port: MessagePort): void;
  /** Wakes another worker, by the number of its `WorkerHandle.eventfd`. */
  wakeOther(eventfd: number): void;
  /** Runs the worker until a stop is requested. Messages of `control` are handed to the core between batches. */
  run(core: IoEvents, control: MessagePort): Promise<void>;
}

/** A socket operation that the system refused. */
export class IoError extends Error {
  /** The errno's name, e.g. `EADDRINUSE`. */
  readonly errno: string;

  constructor(errno: string, operation: string) {
    super(`${operation}: ${errno}`);
    this.name = "IoError";
    this.errno = errno;
  }
}
