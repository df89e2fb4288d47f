// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Action, Flag, Word } from "../../datapath/batch.ts";
import type { Ring } from "../../datapath/ring.ts";
import { FIRST_SESSION_CONTEXT } from "../../wasm/abi.ts";
import type { WorkerFlowEvent } from "../worker-flow.ts";
import type { FlowChains } from "./flow-chains.ts";
import type { RtcpRelay } from "./flow-rtcp.ts";
import type { FlowTable } from "./flow-table.ts";
import type { RunningFlow } from "./running-flow.ts";

/** All flows are looked at together: what is due may wait for so long, that it is done rarely. */
const PATIENCE_MS = 10;

/** What the flows of a worker do by the clock: reports, requests that waited for their window, silence, filters' ticks. */
export class FlowTimers {
  /** When something is due, in milliseconds of the clock. */
  nextMs = Number.POSITIVE_INFINITY;
  readonly #ring: Ring;
  readonly #onFlowEvent: (event: WorkerFlowEvent) => void;
  readonly #table: FlowTable;
  readonly #chains: FlowChains;
  readonly #rtcp: RtcpRelay;

  constructor(
    { ring, onFlowEvent }: { readonly ring: Ring; readonly onFlowEvent: (event: WorkerFlowEvent) => void },
    table: FlowTable,
    chains: FlowChains,
    rtcp: RtcpRelay,
  ) {
    this.#ring = ring;
    this.#onFlowEvent = onFlowEvent;
    this.#table = table;
    this.#chains = chains;
    this.#rtcp = rtcp;
  }

  /** Something is due at this time, perhaps before all else. */
  notBefore(dueMs: number): void {
    if (dueMs < this.nextMs) this.nextMs = dueMs;
  }

  /** Does what is due. The ring's batch is empty, and is empty again afterwards. */
  run(nowMs: number): void {
    let next = Number.POSITIVE_INFINITY;
    for (const chain of this.#chains.all()) {
      if (!chain.isEmpty) next = Math.min(next, nowMs + chain.tick(nowMs));
    }
    for (const flow of this.#table.flows) {
      if (flow === undefined) continue;
      this.#rtcp.askPicture(flow, nowMs);
      if (flow.rtcp.dueMs <= nowMs) {
        this.#report(flow, nowMs);
        this.#rtcp.reportDown(flow);
      }
      next = Math.min(next, this.#rtcp.dueMs(flow), this.#watchSilence(flow, nowMs));
    }
    this.nextMs = Math.max(next, nowMs + PATIENCE_MS);
  }

  /** The report goes up through the chain, so that filters see what receivers say. */
  #report(flow: RunningFlow, nowMs: number): void {
    if (!this.#rtcp.writeReport(flow, nowMs)) return;
    const { chain, number } = flow;
    if (!chain.isEmpty) {
      const ring = this.#ring;
      const { bytes, length } = flow.rtcp.writer;
      ring.bytes.set(bytes.subarray(0, length), ring.payload(0));
      ring.add(length, length, Flag.UpstreamDirection, 0, 0);
      ring.describe(0, number + FIRST_SESSION_CONTEXT);
      chain.run(ring, 0, 1, true, nowMs * 1e6);
      const action = ring.words[(ring.descriptors >> 2) + Word.action]! & 0xff;
      ring.clear();
      if (action !== Action.Continue) return;
    }
    this.#rtcp.sendUp(flow);
  }

  /** Tells once that nothing came for too long. Returns when that will be. */
  #watchSilence(flow: RunningFlow, nowMs: number): number {
    if (flow.idleMs === 0 || flow.isIdle) return Number.POSITIVE_INFINITY;
    const dueMs = flow.lastHeardMs + flow.idleMs;
    if (dueMs > nowMs) return dueMs;
    flow.isIdle = true;
    this.#onFlowEvent({ flow: flow.number, kind: "IDLE", leg: -1 });
    return Number.POSITIVE_INFINITY;
  }
}
