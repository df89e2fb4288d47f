// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { FlowProxy } from "../../traffic/flow-proxy.ts";
import { Pacer } from "./pacer.ts";

const MOST_OPEN = 200;

/** Flows that are opened and closed at once, without media. */
export class FlowChurn {
  opened = 0;
  closed = 0;
  failure: unknown;
  readonly #proxy: FlowProxy;
  readonly #pacer: Pacer;
  #begun = 0;
  #open = 0;

  constructor(proxy: FlowProxy, perSecond: number) {
    this.#proxy = proxy;
    this.#pacer = new Pacer(perSecond, () => void this.#openAndClose());
  }

  stop(): void {
    this.#pacer.stop();
  }

  async #openAndClose(): Promise<void> {
    if (this.#open >= MOST_OPEN) return;
    const id = `short-${this.#begun++}`;
    const local = { ip: "127.0.0.1" };
    this.#open++;
    try {
      await this.#proxy.put({
        id,
        sources: [{ id: "in", enabled: true, udp: { local, rtcp: "MUX", latch: "LATCH_ONCE" } }],
        receivers: [{ id: "out", enabled: true, udp: { local, remote: { ...local, port: 9 }, rtcp: "MUX" } }],
      });
      this.opened++;
      await this.#proxy.closeFlow(id);
      this.closed++;
    } catch (error) {
      this.failure ??= error;
    }
    this.#open--;
  }
}
