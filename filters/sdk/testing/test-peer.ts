// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** What a harness does for its peers. */
export interface PeerActions {
  readonly send: (peer: TestPeer, bytes: Uint8Array, isEnd: boolean) => void;
  readonly take: (peer: TestPeer) => string;
  readonly accept: (peer: TestPeer) => void;
  readonly refuse: (peer: TestPeer) => void;
  readonly close: (peer: TestPeer) => void;
}

/** The far end of a connection: a client that a test is, or a server that the filter connected to. */
export class TestPeer {
  readonly context: number;
  /** By which number interleaved legs name it. */
  readonly connection: number;
  /** `ip:port` of it. */
  readonly address: string;
  /** How the filter ended it; null while it has not. */
  closed: "flush" | "reset" | null = null;
  /** It is over, and its context may be another one's. */
  isGone = false;
  /** What the filter does not read now, because it paused. */
  readonly held: { readonly bytes: Uint8Array; readonly isEnd: boolean }[] = [];
  isPaused = false;
  /** What it had been sent before it was over, and nobody has looked at. */
  unread = "";
  readonly #actions: PeerActions;

  constructor(context: number, connection: number, address: string, actions: PeerActions) {
    this.context = context;
    this.connection = connection;
    this.address = address;
    this.#actions = actions;
  }

  /** Sends to the filter; `isEnd` where nothing follows. */
  send(data: string | Uint8Array, isEnd = false): void {
    this.#actions.send(this, typeof data === "string" ? Buffer.from(data, "latin1") : data, isEnd);
  }

  /** What the filter sent since the last look, as text whose characters are bytes. */
  take(): string {
    return this.#actions.take(this);
  }

  /** A server: the connection is there. */
  accept(): void {
    this.#actions.accept(this);
  }

  /** A server: there will be no connection. */
  refuse(): void {
    this.#actions.refuse(this);
  }

  /** Breaks the connection off. */
  close(): void {
    this.#actions.close(this);
  }
}
