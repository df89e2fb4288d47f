// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import path from "node:path";
import { fileURLToPath } from "node:url";
import {
  MAX_DATA_BYTES,
  MemoryWorld,
  type RouteChoice,
  type RouteRequest,
  SignallingGuest,
  type SignallingOptions,
} from "@msm/proxy/signalling";
import { compileFilter, type FilterTrust, type LogLine, MemoryEnvironment } from "@msm/proxy/wasm";
import { compileFolder } from "./compile.mjs";
import { TestFlows } from "./test-flows.ts";
import { type PeerActions, TestPeer } from "./test-peer.ts";

/** The folder of filters, the same relative path from `testing` and from `dist`. */
const FILTERS = fileURLToPath(new URL("../..", import.meta.url));

const NANOSECONDS_PER_MS = 1e6;

/** Numbers of connections as a signalling worker's attachment gives them: `attachment * 2^32 + connection`. */
const ATTACHMENT = 2 ** 32;

/** The address at which the proxy is reached, and from which it connects. */
const PROXY_IP = "192.0.2.2";
/** Where routes lead unless a test says otherwise. */
const SERVER = "198.51.100.1:554";

/** The listener of a harness. */
export type SignallingHarnessOptions = Partial<SignallingOptions> & { readonly trust?: FilterTrust };

const listener: SignallingOptions = {
  advertisedAddress: "",
  localAddress: "",
  upstreamTransport: "AUTOMATIC",
  upstreamLingerMs: 5_000,
  idleTimeoutMs: 60_000,
  maxFlowsPerConnection: 64,
};

/**
 * Runs a real signalling filter on the proxy's real host for them, without sockets and with a clock that stands still.
 * Flows open by themselves, unless `holdsFlows`.
 */
export class SignallingHarness {
  readonly env = new MemoryEnvironment();
  readonly world = new MemoryWorld();
  readonly flows = new TestFlows();
  /** Streams that the filter opened, in their order; those that are over stay. */
  readonly streams: TestPeer[] = [];
  /** Called with every new stream; tests put a server there. */
  onStream: (stream: TestPeer) => void = () => {};
  /** Whether changes of flows wait for `answerFlows`. */
  holdsFlows = false;
  readonly #guest: SignallingGuest;
  readonly #peers = new Map<number, TestPeer>();
  #nextConnection = 1;
  #seenStreams = 0;
  #isSettling = false;

  private constructor(guest: (harness: SignallingHarness) => SignallingGuest) {
    this.world.route = (request) => routeTo(request);
    this.#guest = guest(this);
  }

  /** Compiles and starts a filter, by its name or by the path of its folder. Throws FilterFailure where it refuses. */
  static async load(
    filter: string,
    config: unknown = {},
    { trust = "plugin", ...options }: SignallingHarnessOptions = {},
  ): Promise<SignallingHarness> {
    const folder = path.resolve(FILTERS, filter);
    const { bytes } = await compileFolder(folder);
    const { module, digest } = await compileFilter(bytes, "filter", trust);
    const plan = {
      name: path.basename(folder),
      rootId: "",
      vmId: "",
      module,
      digest,
      configuration: new TextEncoder().encode(JSON.stringify(config)),
      vmConfiguration: new Uint8Array(),
      failurePolicy: "FAIL_CLOSED",
    } as const;
    const settings = { ...listener, ...options };
    return new SignallingHarness(({ env, world }) => new SignallingGuest(plan, env, world, settings));
  }

  /** Connects a client. */
  connect(address = `192.0.2.1:${40_000 + this.#nextConnection}`): TestPeer {
    const number = ATTACHMENT + this.#nextConnection++;
    const context = this.#guest.openConnection(number, { local: `${PROXY_IP}:8554`, remote: address });
    const peer = new TestPeer(context, number, address, this.#actions);
    this.#peers.set(context, peer);
    this.#settle();
    return peer;
  }

  /** Lets time pass, and what is due happen, in steps of at most `stepMs`. */
  advance(ms: number, stepMs = 100): void {
    for (let left = ms; left > 0; left -= stepMs) {
      this.env.nowNs += BigInt(Math.round(Math.min(left, stepMs) * NANOSECONDS_PER_MS));
      this.#guest.tick();
      this.#settle();
    }
  }

  /** Answers the changes of flows that wait. */
  answerFlows(): void {
    this.holdsFlows = false;
    this.#settle();
  }

  /** A counter or gauge, by its name with labels. */
  metric(key: string): number {
    return this.env.value(key);
  }

  /** What the filter logged. */
  get logs(): readonly LogLine[] {
    return this.env.logs;
  }

  /** Connections and streams that are open. */
  get peerCount(): number {
    return this.#guest.peerCount;
  }

  readonly #actions: PeerActions = {
    send: (peer, bytes, isEnd) => {
      for (let at = 0; at === 0 || at < bytes.length; at += MAX_DATA_BYTES) {
        const part = bytes.subarray(at, at + MAX_DATA_BYTES);
        peer.held.push({ bytes: part, isEnd: isEnd && at + MAX_DATA_BYTES >= bytes.length });
      }
      this.#deliver(peer);
      this.#settle();
    },
    take: (peer) => {
      const unread = peer.unread;
      peer.unread = "";
      return isOver(peer) ? unread : this.world.takeText(peer.context);
    },
    accept: ({ context, address }) => {
      this.#guest.streamConnected(context, { local: `${PROXY_IP}:50000`, remote: address });
      this.#settle();
    },
    refuse: (peer) => {
      this.#end(peer, () => this.#guest.streamFailed(peer.context));
    },
    close: (peer) => {
      this.#end(peer, () => {
        if (this.streams.includes(peer)) this.#guest.streamClosed(peer.context);
        else this.#guest.connectionClosed(peer.context, "remote");
      });
    },
  };

  #deliver(peer: TestPeer): void {
    while (!peer.isPaused && !peer.isGone && peer.closed === null) {
      const next = peer.held.shift();
      if (next === undefined) return;
      peer.isPaused = !this.#guest.data(peer.context, next.bytes, next.isEnd);
    }
  }

  #end(peer: TestPeer, tell: () => void): void {
    if (isOver(peer)) return;
    peer.unread = this.world.takeText(peer.context);
    peer.isGone = true;
    this.#peers.delete(peer.context);
    tell();
    this.#settle();
  }

  /** Does what the filter asked for, until it asks for nothing more. */
  #settle(): void {
    if (this.#isSettling) return;
    this.#isSettling = true;
    try {
      while (this.#settleOnce());
    } finally {
      this.#isSettling = false;
    }
  }

  #settleOnce(): boolean {
    const { world } = this;
    for (; this.#seenStreams < world.streams.length; this.#seenStreams++) this.#addStream();
    const resumed = world.resumed.splice(0);
    for (const context of resumed) this.#resume(context);
    const closed = world.closed.splice(0);
    for (const { context, how } of closed) this.#closePeer(context, how);
    const calls = this.holdsFlows ? [] : world.flowCalls.splice(0);
    for (const { call, flow, change } of calls) {
      const message = world.flows.get(flow);
      if (call === "close") this.#guest.flowEvent(flow, this.flows.close(flow));
      else if (change !== undefined) this.#guest.flowEvent(flow, this.flows.change(flow, change));
      else if (message !== undefined) this.#guest.flowEvent(flow, this.flows.put(flow, message));
    }
    return resumed.length + closed.length + calls.length > 0 || this.#seenStreams < world.streams.length;
  }

  #addStream(): void {
    const asked = this.world.streams[this.#seenStreams]!;
    const { target } = asked;
    const address = target.kind === "route" ? target.choice.endpoint : SERVER;
    const stream = new TestPeer(asked.context, asked.connection, address, this.#actions);
    this.#peers.set(asked.context, stream);
    this.streams.push(stream);
    this.onStream(stream);
  }

  #resume(context: number): void {
    const peer = this.#peers.get(context);
    if (peer === undefined) return;
    peer.isPaused = false;
    this.#deliver(peer);
  }

  #closePeer(context: number, how: "flush" | "reset"): void {
    const peer = this.#peers.get(context);
    if (peer === undefined || peer.closed !== null) return;
    peer.unread = this.world.takeText(context);
    peer.closed = how;
    this.#peers.delete(context);
    if (this.streams.includes(peer)) this.#guest.streamClosed(context);
    else this.#guest.connectionClosed(context, "local");
  }
}

/** Whether the context is another one's by now. */
function isOver({ isGone, closed }: TestPeer): boolean {
  return isGone || closed !== null;
}

/** A choice that leads to the test's server, for whatever is asked. */
export function routeTo({ host, path: asked }: RouteRequest, change: Partial<RouteChoice> = {}): RouteChoice {
  const choice = { status: 200, reason: "", name: "test", cluster: "cameras", endpoint: SERVER };
  return { ...choice, host, path: asked, ...change };
}
