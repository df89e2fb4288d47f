// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createSocket } from "node:dgram";
import type { Outages } from "./outages.ts";
import { Pacer } from "./pacer.ts";

const DATAGRAMS = 3;
const BYTES = 200;
const NUMBER_AT = 4;
const LOST_AFTER_MS = 5_000;
const MOST_OPEN = 1_500;

/** Clients that come, have a few datagrams echoed one after the other, and go for good. */
export class ShortSessions {
  finished = 0;
  /** Sessions that had no answer; those that an outage may explain are counted apart. */
  lost = 0;
  lostInOutages = 0;
  /** Datagrams that came to another session than theirs, or changed. */
  crossed = 0;
  readonly #port: number;
  readonly #outages: Outages;
  readonly #pacer: Pacer;
  #begun = 0;
  #open = 0;

  constructor(port: number, perSecond: number, outages: Outages) {
    this.#port = port;
    this.#outages = outages;
    this.#pacer = new Pacer(perSecond, () => this.#begin());
  }

  /** Begins no more sessions. */
  stop(): void {
    this.#pacer.stop();
  }

  #begin(): void {
    if (this.#open >= MOST_OPEN) return;
    const number = this.#begun++;
    const beganMs = performance.now();
    const socket = createSocket("udp4");
    const datagram = Buffer.alloc(BYTES, number & 0xff);
    let answers = 0;
    this.#open++;
    const end = (): void => {
      clearTimeout(timer);
      this.#open--;
      socket.close();
    };
    const timer = setTimeout(() => {
      if (this.#outages.since(beganMs)) this.lostInOutages++;
      else this.lost++;
      end();
    }, LOST_AFTER_MS);
    const next = (): void => {
      datagram.writeUInt32BE(number, NUMBER_AT);
      datagram.writeUInt32BE(answers, NUMBER_AT + 4);
      socket.send(datagram, this.#port, "127.0.0.1", () => undefined);
    };
    socket.on("error", () => undefined);
    socket.on("message", (answer) => {
      // The endpoint writes its own number into the first byte.
      if (answer.length !== BYTES || !answer.subarray(1).equals(datagram.subarray(1))) {
        this.crossed++;
      } else if (++answers < DATAGRAMS) {
        next();
      } else {
        this.finished++;
        end();
      }
    });
    next();
  }
}
