// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import { until } from "@msm/deploy";

const INTERVAL_MS = 5;

/** One client that never stops: a numbered datagram every 5 ms to something that echoes, each awaited. */
export class Heartbeat {
  readonly #socket: Socket;
  readonly #returned = new Set<number>();
  readonly #endpoints = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  #sent = 0;
  #lastReturnMs = performance.now();
  #longestGapMs = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("message", (datagram) => this.#onEcho(datagram));
    // ICMP of a port that is shut for a moment: the loss shows by itself.
    socket.on("error", () => undefined);
  }

  /** Begins a session; resolves when the first datagram came back, which has to be within `timeoutMs`. */
  static async start(address: string, port: number, timeoutMs = 5000): Promise<Heartbeat> {
    const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
    socket.connect(port, address);
    await once(socket, "connect");
    const heartbeat = new Heartbeat(socket);
    heartbeat.#timer = setInterval(() => heartbeat.#beat(), INTERVAL_MS);
    try {
      await until(
        `a datagram came back from ${address}:${port}`,
        () => heartbeat.#returned.size > 0,
        timeoutMs,
      );
    } catch (error) {
      heartbeat.close();
      throw error;
    }
    // A listener that was not there yet is no loss.
    heartbeat.resetCounts();
    return heartbeat;
  }

  /** Forgets what was, and counts anew. */
  resetCounts(): void {
    this.#returned.clear();
    this.#endpoints.clear();
    this.#sent = 0;
    this.#lastReturnMs = performance.now();
    this.#longestGapMs = 0;
  }

  /** The numbers of the endpoints that answered. */
  get endpoints(): readonly number[] {
    return [...this.#endpoints];
  }

  get sent(): number {
    return this.#sent;
  }

  /** The longest time without an answer. */
  get longestGapMs(): number {
    return Math.max(this.#longestGapMs, performance.now() - this.#lastReturnMs);
  }

  /** Waits until so many more datagrams came back. */
  async beats(count: number): Promise<void> {
    const goal = this.#returned.size + count;
    await until(`${count} more datagrams came back`, () => this.#returned.size >= goal);
  }

  /** Stops sending and returns how many datagrams never came back; the last have a second's time. */
  async finish(): Promise<number> {
    clearInterval(this.#timer);
    await until("all came back", () => this.#returned.size === this.#sent, 1000).catch(() => undefined);
    this.close();
    return this.#sent - this.#returned.size;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#socket.close();
  }

  #beat(): void {
    const datagram = Buffer.alloc(64);
    datagram.writeUInt32BE(this.#sent++, 1);
    this.#socket.send(datagram, () => undefined);
  }

  #onEcho(datagram: Buffer): void {
    const now = performance.now();
    this.#longestGapMs = Math.max(this.#longestGapMs, now - this.#lastReturnMs);
    this.#lastReturnMs = now;
    this.#returned.add(datagram.readUInt32BE(1));
    this.#endpoints.add(datagram[0]!);
  }
}
