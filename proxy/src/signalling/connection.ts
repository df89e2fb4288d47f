// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Socket } from "node:net";
import { FrameBuffer } from "./frame-buffer.ts";
import { resetSocket } from "./reset-socket.ts";
import { MAX_DATA_BYTES } from "./signalling-guest.ts";
import type { CloseHow } from "./signalling-world.ts";

/** Beyond this nothing more is written, and interleaved packets are dropped. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** Below this a writer that was refused is told. */
const WRITABLE_BYTES = 256 * 1024;
/** How long a peer may take to read what was written before a close, and to close in its turn. */
const CLOSE_LINGER_MS = 5_000;

const NO_BYTES = new Uint8Array(0);

/** What a connection tells of itself. */
export interface ConnectionEvents {
  /** Bytes came, at most `MAX_DATA_BYTES`; `isEnd` where the peer will send no more. Returns whether to go on. */
  onData(bytes: Uint8Array, isEnd: boolean): boolean;
  /** A write was refused, and now there is room. */
  onWritable(): void;
  /** Nothing was said for the time-out. */
  onIdle(): void;
  /** It is over; nothing follows. */
  onClosed(by: "local" | "remote"): void;
}

/** A TCP connection as signalling uses it: bytes in portions, writes with a bound, interleaved frames between them. */
export class Connection {
  /** Number of the connection in its worker; below 2^32. */
  readonly number: number;
  readonly #socket: Socket;
  readonly #events: ConnectionEvents;
  /** Interleaved frames that gather until the end of a batch. */
  readonly #frames = new FrameBuffer();
  /** What came and was not shown yet. */
  #pending: Uint8Array = NO_BYTES;
  #isPaused = false;
  #isEnded = false;
  #isEndTold = false;
  #isClosing = false;
  #wantsWritable = false;
  #lingerTimer: NodeJS.Timeout | undefined;

  constructor(number: number, socket: Socket, events: ConnectionEvents) {
    this.number = number;
    this.#socket = socket;
    this.#events = events;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("end", () => {
      this.#isEnded = true;
      this.#show();
    });
    socket.on("timeout", () => events.onIdle());
    // The close that follows tells all that matters.
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(this.#lingerTimer);
      events.onClosed(this.#isClosing ? "local" : "remote");
    });
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  /** Whether something waits that the peer does not take. */
  get isStalled(): boolean {
    return this.#socket.writableLength > 0;
  }

  /** After how long without a byte either way `onIdle` is called; 0 for never. */
  setIdleTimeout(timeoutMs: number): void {
    this.#socket.setTimeout(timeoutMs);
  }

  /** Writes a copy of the bytes; false where too much waits, and nothing was written. */
  write(bytes: Uint8Array): boolean {
    if (this.#isClosing) return true;
    const waiting = this.#socket.writableLength;
    if (waiting > 0 && waiting + bytes.length > MAX_WAITING_BYTES) {
      this.#wantsWritable = true;
      return false;
    }
    this.#socket.write(Buffer.from(bytes), this.#onWritten);
    return true;
  }

  /** Appends an interleaved frame, which leaves with `flushFrames`; see `OnInterleaved`. False where it was dropped. */
  addFrame(channel: number, bytes: Uint8Array, start: number, end: number, header = -1): boolean {
    const waiting = this.#socket.writableLength + this.#frames.length;
    if (this.#isClosing || waiting + end - start > MAX_WAITING_BYTES) return false;
    this.#frames.add(channel, bytes, start, end, header);
    return true;
  }

  flushFrames(): void {
    const frames = this.#frames.take();
    if (frames.length > 0 && !this.#isClosing) this.#socket.write(frames, this.#onWritten);
    // What the system took at once is held by nobody.
    if (this.#socket.writableLength === 0) this.#frames.reuse();
  }

  /** Goes on after `onData` returned false. What came meanwhile is shown later, not during this call. */
  resume(): void {
    if (!this.#isPaused) return;
    setImmediate(() => {
      this.#isPaused = false;
      this.#socket.resume();
      this.#show();
    });
  }

  /** Ends the connection. What the peer still sends is not shown. */
  close(how: CloseHow): void {
    if (how === "reset") {
      this.#isClosing = true;
      resetSocket(this.#socket);
      return;
    }
    if (this.#isClosing) return;
    this.flushFrames();
    this.#isClosing = true;
    this.#pending = NO_BYTES;
    if (this.#socket.connecting) {
      this.#socket.destroy();
      return;
    }
    this.#socket.end();
    // Bytes that nobody reads would turn the close into a reset, which takes what was written with it.
    this.#socket.resume();
    this.#lingerTimer = setTimeout(() => this.#socket.destroy(), CLOSE_LINGER_MS).unref();
    this.#socket.once("end", () => this.#socket.destroySoon());
    if (this.#isEnded) this.#socket.destroySoon();
  }

  readonly #onWritten = (): void => {
    if (!this.#wantsWritable || this.#isClosing || this.#socket.writableLength >= WRITABLE_BYTES) return;
    this.#wantsWritable = false;
    this.#events.onWritable();
  };

  #take(chunk: Uint8Array): void {
    if (this.#isClosing) return;
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    this.#show();
  }

  #show(): void {
    while (this.#pending.length > 0 && !this.#isPaused && !this.#isClosing) {
      const bytes = this.#pending.subarray(0, MAX_DATA_BYTES);
      this.#pending = this.#pending.subarray(bytes.length);
      this.#note(this.#events.onData(bytes, false));
    }
    if (!this.#isEnded || this.#isEndTold || this.#isPaused || this.#isClosing) return;
    this.#isEndTold = true;
    this.#note(this.#events.onData(NO_BYTES, true));
  }

  #note(goesOn: boolean): void {
    if (goesOn || this.#isClosing) return;
    this.#isPaused = true;
    this.#socket.pause();
  }
}
