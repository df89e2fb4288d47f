// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { ListenerPlan } from "../../plan.ts";
import type { IoBackend, OpenListener, WorkerHandle } from "../io-backend.ts";
import {
  close,
  EFD_CLOEXEC,
  EFD_NONBLOCK,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLLIN,
  epollControl,
  epollCreate,
  eventfd,
  ioError,
} from "./libc.ts";
import { MmsgWorkerIo, WAKE_TAG } from "./mmsg-worker-io.ts";
import { Area, EPOLL_DATA_WORD, EPOLL_EVENT_BYTES } from "./native-layout.ts";
import { NativeMemory } from "./native-memory.ts";
import { ringEventfd } from "./ring-eventfd.ts";
import {
  closeSharedSockets,
  createSessionSocketMemory,
  type SessionSocketMemory,
} from "./session-sockets.ts";
import { localAddress, openBoundSocket, openMediaSocket, receiveBufferBytes } from "./sockets.ts";

/** What an incarnation of a worker inherits: its epoll set, with every socket in it, and the eventfd that wakes it. */
export interface MmsgHandle {
  readonly epoll: number;
  readonly event: number;
  /** The file descriptor of its submission ring, or -1: the ring is of no use to the next, which closes it. */
  readonly submissions: Int32Array;
  readonly sockets: SessionSocketMemory;
}

const scratch = new NativeMemory(EPOLL_EVENT_BYTES);
/** See `SessionSocketMemory`. */
const ownSockets = new Int32Array(new SharedArrayBuffer(4));

/** `recvmmsg`, `sendmmsg` and `epoll` called on the ring's own memory: Linux. */
export const backend: IoBackend = {
  name: "mmsg",
  priority: 10,
  maxConcurrency: 64,
  ringBytes: Area.bytes,
  unavailable: () => (process.platform === "linux" ? undefined : "needs Linux"),
  createWorkerHandle,
  openListener,
  async openMediaSocket(options) {
    const socket = openMediaSocket(options);
    return { socket, localAddress: localAddress(socket), close: () => void close(socket) };
  },
  createWorkerIo: (handle, ring, sessions, legs) =>
    new MmsgWorkerIo(handle as MmsgHandle, ring, sessions, legs),
};

function createWorkerHandle(): WorkerHandle {
  const epoll = epollCreate(EPOLL_CLOEXEC);
  if (epoll < 0) throw ioError("epoll_create1");
  const event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (event < 0) throw ioError("eventfd");
  scratch.words[0] = EPOLLIN;
  scratch.words[EPOLL_DATA_WORD] = WAKE_TAG;
  if (epollControl(epoll, EPOLL_CTL_ADD, event, scratch.address) !== 0) throw ioError("epoll_ctl");
  const submissions = new Int32Array(new SharedArrayBuffer(4)).fill(-1);
  const sockets = createSessionSocketMemory(ownSockets);
  const handle: MmsgHandle = { epoll, event, submissions, sockets };
  return {
    handle,
    eventfd: event,
    wake() {
      ringEventfd(event);
    },
    close() {
      close(event);
      close(epoll);
      if (submissions[0]! >= 0) close(submissions[0]!);
      closeSharedSockets(sockets);
    },
  };
}

async function openListener(plan: ListenerPlan, workers: number): Promise<OpenListener> {
  // A port shared by SO_REUSEPORT would let two proxies of one user silently split the traffic: the port must be
  // free for one socket alone first.
  close(openBoundSocket(plan.address, false));
  const sockets = [openBoundSocket(plan.address, true)];
  const bound = localAddress(sockets[0]!);
  try {
    while (sockets.length < workers) sockets.push(openBoundSocket(bound, true));
  } catch (error) {
    for (const fd of sockets) close(fd);
    throw error;
  }
  return {
    sockets,
    localAddress: bound,
    receiveBufferBytes: receiveBufferBytes(sockets[0]!),
    close() {
      for (const fd of sockets) close(fd);
    },
  };
}
