// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { connect, type Socket } from "node:net";
import type { SocketAddress } from "../../plan.ts";

const DEADLINE_MS = 10_000;
const INTERVAL_MS = 5;

/** Resolves once the condition holds; rejects where it does not within 10 s. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadlineMs = performance.now() + DEADLINE_MS;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`${what}: not within ${DEADLINE_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
  }
}

/** A TCP client that notes what it gets. */
export class TestClient {
  readonly socket: Socket;
  isClosed = false;
  #received = Buffer.alloc(0);

  /** Takes over a socket that is connected. */
  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (data: Buffer) => {
      this.#received = Buffer.concat([this.#received, data]);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.isClosed = true;
    });
  }

  /** Connects. Rejects where nobody listens. */
  static connect({ address, port }: SocketAddress): Promise<TestClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, address);
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new TestClient(socket));
      });
    });
  }

  get text(): string {
    return this.#received.toString("latin1");
  }

  send(text: string): void {
    this.socket.write(text, "latin1");
  }

  /** Waits for exactly this text to come next, and forgets it. */
  async expect(text: string): Promise<void> {
    await until(() => this.text.length >= text.length || this.isClosed, `the answer "${text}"`);
    const got = this.text.slice(0, text.length);
    if (got !== text) throw new Error(`got "${this.text}" where "${text}" was expected`);
    this.#received = this.#received.subarray(text.length);
  }

  async closed(): Promise<void> {
    await until(() => this.isClosed, "the end of the connection");
  }

  close(): void {
    this.socket.destroy();
  }
}
