// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { MessagePort } from "node:worker_threads";
import type { Ring } from "../datapath/ring.ts";
import type { SessionTable } from "../datapath/session-table.ts";
import type { ListenerPlan, SocketAddress } from "../plan.ts";

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
  /** Worker: what runs it. */
  createWorkerIo(handle: unknown, ring: Ring, sessions: SessionTable): WorkerIo;
}

/** The main thread's hold on one worker's I/O. */
export interface WorkerHandle {
  /** Given to each incarnation of the worker; must survive `postMessage`. */
  readonly handle: unknown;
  /** Makes a worker that waits for datagrams look at its control port. */
  wake(): void;
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

/** What a worker's core does when its I/O has something for it. */
export interface IoEvents {
  /** The ring holds datagrams from clients of this listener; source addresses are in the slots' names. */
  onDownstream(listener: number): void;
  /** The ring holds datagrams from endpoints; each slot's session is set. */
  onUpstream(): void;
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
  /** Opens a session's own socket to its endpoint, and receives from it. Returns false where the system refuses. */
  openSession(session: number, preferGro: boolean): boolean;
  closeSession(session: number): void;
  /** Resumes receiving for a session that an earlier worker opened. */
  adoptSession(session: number, preferGro: boolean): boolean;
  /** Sends what in slots [firstSlot, endSlot) is still Continue to its session's endpoint. */
  sendUpstream(firstSlot: number, endSlot: number): void;
  /** The same to its session's client, from the listener's socket. */
  sendDownstream(firstSlot: number, endSlot: number): void;
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
