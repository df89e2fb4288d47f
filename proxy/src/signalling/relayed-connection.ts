// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Socket } from "node:net";
import { type DataAnswer, MAX_HELD_BYTES } from "../wasm/network-guest.ts";
import { resetSocket } from "./reset-socket.ts";

const NO_BYTES = new Uint8Array(0);

/** How long a side may take to read what was written before a close. */
const CLOSE_LINGER_MS = 5_000;

/** What a relayed connection asks of its instance. None of it throws. */
export interface RelayHost {
  /** Shows what waits in one direction to the filter. */
  show(index: number, isUpstream: boolean, bytes: Uint8Array, isEnd: boolean): DataAnswer;
  /** Begins to connect to an endpoint; undefined where there is none. The socket's events follow later. */
  connect(index: number): Socket | undefined;
  /** One side is over. */
  sideClosed(index: number, isUpstream: boolean, by: "local" | "remote"): void;
  /** Both are; nothing follows. */
  over(index: number): void;
  /** A call into the filter is over, and what came of it was done. */
  settle(): void;
}

/** One direction, from where bytes are read to where they are written. */
interface Way {
  readonly isUpstream: boolean;
  from: Socket | undefined;
  to: Socket | undefined;
  /** What the filter paused, to be shown again with what follows. */
  held: Uint8Array;
  hasEnded: boolean;
}

/** A client's connection joined to one of an endpoint, with a filter between them. Both ends may be half-closed. */
export class RelayedConnection {
  readonly #index: number;
  readonly #client: Socket;
  readonly #host: RelayHost;
  /** From the client to the endpoint. */
  readonly #request: Way;
  readonly #response: Way;
  #endpoint: Socket | undefined;
  #isConnecting = false;
  #isClosing = false;
  #openSides = 1;

  constructor(index: number, client: Socket, host: RelayHost) {
    this.#index = index;
    this.#client = client;
    this.#host = host;
    this.#request = { isUpstream: false, from: client, to: undefined, held: NO_BYTES, hasEnded: false };
    this.#response = { isUpstream: true, from: undefined, to: client, held: NO_BYTES, hasEnded: false };
    this.#listen(this.#request, client);
  }

  /** Whether it is about to end. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** Connects to the endpoint, unless that has begun. */
  connect(): void {
    if (this.#isConnecting || this.#isClosing) return;
    this.#isConnecting = true;
    const endpoint = this.#host.connect(this.#index);
    if (endpoint === undefined) {
      this.close("reset");
      return;
    }
    this.#openSides++;
    this.#endpoint = endpoint;
    this.#request.to = endpoint;
    this.#response.from = endpoint;
    this.#listen(this.#response, endpoint);
  }

  /** Lets go on what the filter had paused in one direction. A connection that was paused as it began is connected. */
  resume(isUpstream: boolean): void {
    if (this.#isClosing) return;
    this.connect();
    const way = isUpstream ? this.#response : this.#request;
    const { held } = way;
    way.held = NO_BYTES;
    this.#pass(way, held);
    way.from?.resume();
  }

  /** Lets go on whatever is held: nobody is there any more who would. */
  release(): void {
    for (const isUpstream of [false, true]) this.resume(isUpstream);
  }

  /** Ends both sides, after what was written has left or at once. */
  close(how: "flush" | "reset"): void {
    if (this.#isClosing && how === "flush") return;
    this.#isClosing = true;
    for (const socket of [this.#client, this.#endpoint]) {
      if (socket === undefined || socket.destroyed) continue;
      if (how === "reset") resetSocket(socket);
      else endSoon(socket);
    }
  }

  #listen(way: Way, socket: Socket): void {
    socket.on("data", (bytes: Buffer) => this.#show(way, bytes));
    socket.on("end", () => {
      way.hasEnded = true;
      this.#show(way, NO_BYTES);
    });
    // The close that follows tells all that matters.
    socket.on("error", () => {});
    socket.on("close", (hadError) => this.#onClosed(way, hadError));
  }

  #show(way: Way, bytes: Uint8Array): void {
    if (this.#isClosing) return;
    const waiting = way.held.length === 0 ? bytes : Buffer.concat([way.held, bytes]);
    const answer = this.#host.show(this.#index, way.isUpstream, waiting, way.hasEnded);
    way.held = answer.goesOn ? NO_BYTES : answer.bytes;
    if (answer.goesOn) this.#pass(way, answer.bytes);
    else if (way.held.length >= MAX_HELD_BYTES) way.from?.pause();
    this.#host.settle();
  }

  #pass(way: Way, bytes: Uint8Array): void {
    if (this.#isClosing) return;
    if (!way.isUpstream) this.connect();
    const { from, to } = way;
    if (to === undefined || to.destroyed) return;
    if (bytes.length > 0 && !to.write(bytes)) {
      from?.pause();
      to.once("drain", () => from?.resume());
    }
    if (way.hasEnded) to.end();
  }

  #onClosed(way: Way, hadError: boolean): void {
    const by = this.#isClosing ? "local" : "remote";
    this.#openSides--;
    this.#host.sideClosed(this.#index, way.isUpstream, by);
    const other = way.isUpstream ? this.#client : this.#endpoint;
    this.#isClosing = true;
    // What one side did not end in good order the other must not take for the end.
    if (other !== undefined && !other.destroyed) {
      if (hadError) resetSocket(other);
      else endSoon(other);
    }
    if (this.#openSides === 0) this.#host.over(this.#index);
    this.#host.settle();
  }
}

/** Ends a socket when it has taken what was written, or a while later by force. */
function endSoon(socket: Socket): void {
  socket.destroySoon();
  const timer = setTimeout(() => socket.destroy(), CLOSE_LINGER_MS).unref();
  socket.once("close", () => clearTimeout(timer));
}
