// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { MessagePort } from "node:worker_threads";
import { InterleavedRing } from "./interleaved-ring.ts";

/** What the main thread sends to a signalling worker for each datapath worker, and again when that one was rebuilt. */
export interface LinkMessage {
  readonly worker: number;
  /** Memory of the rings; the same for every incarnation of the datapath worker. */
  readonly toDatapath: SharedArrayBuffer;
  readonly fromDatapath: SharedArrayBuffer;
  /** The datapath worker posts here when `fromDatapath` has something; this end does where there is no `eventfd`. */
  readonly port: MessagePort;
  /** Number of the eventfd that wakes the datapath worker, or -1: it is woken by a message on `port`. */
  readonly eventfd: number;
}

interface Link {
  readonly toDatapath: InterleavedRing;
  readonly fromDatapath: InterleavedRing;
  readonly eventfd: number;
  port: MessagePort;
}

/**
 * Takes one packet that belongs to a connection of this signalling worker; `bytes[start, end)` may be used during the
 * call alone. Unless it is -1, the `OWN_HEADER_BYTES` at `header` of `bytes` stand in place of its first.
 */
export type OnInterleaved = (
  connection: number,
  channel: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  header: number,
) => void;

/**
 * A signalling worker's ends of the rings between it and every datapath worker. Packets that come in are handed to
 * `onPacket`, then `onBatch` is called once, so that what gathered can be written to the connections in one go.
 */
export class InterleavedLinks {
  readonly #port: MessagePort;
  readonly #links: (Link | undefined)[] = [];
  readonly #onPacket: OnInterleaved;
  readonly #onBatch: () => void;
  #isClosed = false;
  #ringEventfd: (eventfd: number) => void = () => {};

  /** `port` is the other end of the one given to `FlowService.attach`. */
  constructor(port: MessagePort, onPacket: OnInterleaved, onBatch: () => void) {
    this.#port = port;
    this.#onPacket = onPacket;
    this.#onBatch = onBatch;
    port.on("message", (message: LinkMessage) => void this.#receive(message));
    // The main thread let go of the rings: numbers of eventfds may soon be those of other files.
    port.on("close", () => this.close());
  }

  /**
   * Hands a packet that came inside `connection` to the datapath worker that has the leg: `FlowNotice.worker`. Copied at
   * once. Returns false where it was dropped for want of room or of such a worker. It is seen after `flush`.
   */
  send(
    worker: number,
    connection: number,
    channel: number,
    bytes: Uint8Array,
    start = 0,
    end = bytes.length,
  ): boolean {
    return this.#links[worker]?.toDatapath.write(connection, channel, bytes, start, end) ?? false;
  }

  /** Makes the datapath workers look at what was sent. To be called once per batch. */
  flush(): void {
    for (const link of this.#links) {
      if (link === undefined || !link.toDatapath.publish()) continue;
      if (link.eventfd >= 0) this.#ringEventfd(link.eventfd);
      else link.port.postMessage(null);
    }
  }

  /** Lets go of the ports, so that the thread may end. Nothing can be sent any more. */
  close(): void {
    this.#isClosed = true;
    this.#port.close();
    for (const link of this.#links) link?.port.close();
    this.#links.length = 0;
  }

  async #receive(message: LinkMessage): Promise<void> {
    // Only where there are eventfds: elsewhere the system calls cannot be loaded.
    if (message.eventfd >= 0) this.#ringEventfd = (await import("../io/mmsg/ring-eventfd.ts")).ringEventfd;
    if (this.#isClosed) message.port.close();
    else this.#setLink(message);
  }

  #setLink({ worker, toDatapath, fromDatapath, port, eventfd }: LinkMessage): void {
    const known = this.#links[worker];
    known?.port.close();
    const link: Link = known
      ? { ...known, port }
      : {
          toDatapath: new InterleavedRing(toDatapath),
          fromDatapath: new InterleavedRing(fromDatapath),
          eventfd,
          port,
        };
    this.#links[worker] = link;
    port.on("message", () => this.#drain(link));
    // What an earlier incarnation wrote may have been announced on a port that is closed by now.
    this.#drain(link);
    if (!link.toDatapath.publish() && eventfd < 0) port.postMessage(null);
  }

  #drain({ fromDatapath }: Link): void {
    let isAny = false;
    while (fromDatapath.next()) {
      isAny = true;
      const { connection, channel, bytes, start, length, header } = fromDatapath;
      this.#onPacket(connection, channel, bytes, start, start + length, header);
    }
    if (isAny) this.#onBatch();
  }
}
