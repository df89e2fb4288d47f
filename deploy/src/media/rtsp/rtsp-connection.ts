// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";
import { formatFrame, type RtspItem } from "./rtsp-message.ts";
import { RtspParser } from "./rtsp-parser.ts";

/** Media that wait longer than this are of no use to a viewer. */
const MAX_WAITING_BYTES = 1 << 20;

/** Who is told what happens on a connection. */
export interface RtspListener {
  onItem(item: RtspItem): void;
  /** Called once, however the connection ended; the error of bytes that are no RTSP among others. */
  onClose(error: Error | undefined): void;
}

/** A TCP connection on which RTSP is spoken. */
export class RtspConnection {
  readonly #socket: Socket;
  readonly #parser = new RtspParser();
  #error: Error | undefined;
  #dropped = 0;

  constructor(socket: Socket, listener: RtspListener) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => this.#read(chunk, listener));
    socket.on("error", (error) => {
      this.#error ??= error;
    });
    socket.once("close", () => listener.onClose(this.#error));
  }

  /** Packets of media that were dropped because the peer reads too slowly. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The address of the peer; empty when it is gone. */
  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? "";
  }

  get localAddress(): string {
    return this.#socket.localAddress ?? "";
  }

  /** Sends a message. */
  write(message: Buffer): void {
    if (this.#socket.writable) this.#socket.write(message);
  }

  /** Sends a packet of media, or drops it whole. `onSent` is called either way. */
  writeFrame(channel: number, payload: Buffer, onSent: () => void): void {
    if (!this.#socket.writable || this.#socket.writableLength > MAX_WAITING_BYTES) {
      this.#dropped++;
      onSent();
      return;
    }
    this.#socket.write(formatFrame(channel, payload), onSent);
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer, listener: RtspListener): void {
    try {
      for (const item of this.#parser.push(chunk)) listener.onItem(item);
    } catch (error) {
      this.#error = error as Error;
      this.#socket.destroy();
    }
  }
}
