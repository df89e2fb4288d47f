// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { fromJson } from "@msm/xds-protos";
import { FlowSchema, type Leg, LegSchema } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import type { FlowProxy } from "../../traffic/flow-proxy.ts";
import { FlowSource } from "../../traffic/flow-source.ts";
import { FlowViewer } from "../../traffic/flow-viewer.ts";

const STREAM = 60_000;
const RECEIVERS = 100;
const REPLACED = 50;
const ANY_ADDRESS = "0.0.0.0";
const MEDIA_INTERVAL_MS = 50;

/** A running flow whose receivers are replaced all the time, half of them at once. */
export class ReceiverChurn {
  replaced = 0;
  failure: unknown;
  /** Stands for all receivers: it has the same port at every address of 127.0.0.0/8. */
  readonly viewer: FlowViewer;
  readonly #proxy: FlowProxy;
  readonly #source: Leg;
  #receivers: readonly Leg[] = [];
  #made = 0;
  #timers: readonly NodeJS.Timeout[] = [];
  #media: FlowSource | undefined;
  #isPutting = false;

  private constructor(proxy: FlowProxy, viewer: FlowViewer) {
    this.#proxy = proxy;
    this.viewer = viewer;
    const udp = { local: { ip: "127.0.0.1" }, rtcp: "MUX", latch: "LATCH_ONCE" };
    this.#source = fromJson(LegSchema, { id: "in", enabled: true, udp });
  }

  static async start(proxy: FlowProxy, perSecond: number): Promise<ReceiverChurn> {
    const churn = new ReceiverChurn(proxy, await FlowViewer.start(STREAM, ANY_ADDRESS));
    churn.#receivers = Array.from({ length: RECEIVERS }, () => churn.#receiver());
    const legs = await churn.#put();
    const port = legs.find(({ id }) => id === "in")?.local?.port;
    assert.ok(port, "the source has no port");
    const media = await FlowSource.start(port, STREAM);
    churn.#media = media;
    churn.#timers = [
      setInterval(() => media.send(), MEDIA_INTERVAL_MS),
      setInterval(() => void churn.#replace(), (1000 * REPLACED) / perSecond),
    ];
    return churn;
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#media?.close();
    this.viewer.close();
  }

  async #replace(): Promise<void> {
    if (this.#isPutting) return;
    this.#isPutting = true;
    const added = Array.from({ length: REPLACED }, () => this.#receiver());
    this.#receivers = [...this.#receivers.slice(REPLACED), ...added];
    try {
      await this.#put();
      this.replaced += REPLACED;
    } catch (error) {
      this.failure ??= error;
    }
    this.#isPutting = false;
  }

  #put() {
    const flow = fromJson(FlowSchema, { id: "churn" });
    flow.sources = [this.#source];
    flow.receivers = [...this.#receivers];
    return this.#proxy.putMessage(flow);
  }

  #receiver(): Leg {
    const number = this.#made++;
    const ip = `127.${1 + ((number >> 14) & 63)}.${(number >> 7) & 127}.${1 + (number & 127)}`;
    const udp = { local: { ip: "127.0.0.1" }, remote: { ip, port: this.viewer.port }, rtcp: "MUX" };
    return fromJson(LegSchema, { id: `r${number}`, enabled: true, udp });
  }
}
