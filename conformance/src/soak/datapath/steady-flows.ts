// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { until } from "@msm/deploy";
import type { FlowProxy } from "../../traffic/flow-proxy.ts";
import type { FlowViewer } from "../../traffic/flow-viewer.ts";
import { type FlowStream, openFlowStream } from "../../traffic/open-flow-stream.ts";

const FLOWS = 8;
const VIEWERS = 10;
const INTERVAL_MS = 10;
const GO_ON_MS = 20_000;

/** What viewers saw, in all. */
export interface SteadyCounts {
  readonly received: number;
  readonly missing: number;
  readonly crossed: number;
  readonly repeated: number;
  readonly breaks: number;
}

/** Flows that last as long as the soak, of which nothing may be lost. */
export class SteadyFlows {
  readonly #streams: readonly FlowStream[];
  readonly #timer: NodeJS.Timeout;

  private constructor(streams: readonly FlowStream[]) {
    this.#streams = streams;
    this.#timer = setInterval(() => {
      for (const { source } of streams) source.send();
    }, INTERVAL_MS);
  }

  static async start(proxy: FlowProxy): Promise<SteadyFlows> {
    const numbers = Array.from({ length: FLOWS }, (_, stream) => stream);
    return new SteadyFlows(
      await Promise.all(numbers.map((stream) => openFlowStream(proxy, stream, VIEWERS))),
    );
  }

  counts(): SteadyCounts {
    const total = (read: (viewer: FlowViewer) => number) =>
      this.viewers.reduce((sum, viewer) => sum + read(viewer), 0);
    return {
      received: total(({ received }) => received),
      missing: total(({ missing }) => missing),
      crossed: total(({ crossed }) => crossed),
      repeated: total(({ repeated }) => repeated),
      breaks: total(({ breaks }) => breaks),
    };
  }

  /** Resolves when every viewer received so many more. Rejects where that takes too long. */
  async haveGoneOn(datagrams: number): Promise<void> {
    const goals = this.viewers.map(({ received }) => received + datagrams);
    const isDone = () => this.viewers.every(({ received }, index) => received >= goals[index]!);
    await until("every flow went on", isDone, GO_ON_MS);
  }

  get viewers(): readonly FlowViewer[] {
    return this.#streams.flatMap(({ viewers }) => viewers);
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const each of [...this.viewers, ...this.#streams.map(({ source }) => source)]) each.close();
  }
}
