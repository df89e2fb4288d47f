// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Action, Flag, Word } from "../../datapath/batch.ts";
import type { Ring } from "../../datapath/ring.ts";
import { FIRST_SESSION_CONTEXT } from "../../wasm/abi.ts";
import type { MemoryViews } from "../../wasm/copy-bytes.ts";
import type { WorkerFlowEvent } from "../worker-flow.ts";
import { copyPacket } from "./copy-packet.ts";
import type { FlowChains } from "./flow-chains.ts";
import type { RtcpRelay } from "./flow-rtcp.ts";
import type { FlowTable } from "./flow-table.ts";
import type { RunningFlow } from "./running-flow.ts";

/**
 * All flows are looked at together: what is due may wait for so long, that it is done rarely. What filters hold or set
 * timers for does not wait.
 */
const PATIENCE_MS = 10;

/** What the flows of a worker do by the clock: reports, requests that waited for their window, silence, filters' ticks. */
export class FlowTimers {
  /** When something is due, in milliseconds of the clock. */
  nextMs = Number.POSITIVE_INFINITY;
  /** When flows are looked at again. */
  #flowsMs = Number.POSITIVE_INFINITY;
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

  /** A flow has something to do at this time, perhaps before all else. */
  notBefore(dueMs: number): void {
    if (dueMs < this.#flowsMs) this.#flowsMs = dueMs;
    if (dueMs < this.nextMs) this.nextMs = dueMs;
  }

  /** A chain of filters has something to do at this time. */
  chainDue(dueMs: number): void {
    if (dueMs < this.nextMs) this.nextMs = dueMs;
  }

  /** Does what is due. The ring's batch is empty, and is empty again afterwards. */
  run(nowMs: number): void {
    this.nextMs = Number.POSITIVE_INFINITY;
    for (const chain of this.#chains.all()) if (!chain.isEmpty) this.chainDue(nowMs + chain.tick(nowMs));
    for (const chain of this.#chains.ofReceivers()) this.chainDue(nowMs + chain.tick(nowMs));
    if (nowMs >= this.#flowsMs) this.#runFlows(nowMs);
    this.nextMs = Math.min(this.nextMs, this.#flowsMs);
  }

  #runFlows(nowMs: number): void {
    let next = Number.POSITIVE_INFINITY;
    for (const flow of this.#table.flows) {
      if (flow === undefined) continue;
      this.#rtcp.askPicture(flow, nowMs);
      if (flow.rtcp.dueMs <= nowMs) {
        this.#report(flow, nowMs);
        this.#rtcp.reportDown(flow, nowMs);
      }
      next = Math.min(next, this.#rtcp.dueMs(flow), this.#watchSilence(flow, nowMs));
    }
    this.#flowsMs = Math.max(next, nowMs + PATIENCE_MS);
  }

  /** The report goes up through the chain, so that filters see what receivers say, and may change it. */
  #report(flow: RunningFlow, nowMs: number): void {
    if (!this.#rtcp.writeReport(flow, nowMs)) return;
    if (flow.chain.isEmpty) this.#rtcp.sendUp(flow);
    else {
      const { writer } = flow.rtcp;
      this.sendUp(flow, writer, 0, writer.length, nowMs);
    }
  }

  /** Sends what is for the source of a flow through its filters. The ring's batch is empty, and is empty again afterwards. */
  sendUp(flow: RunningFlow, from: MemoryViews, start: number, length: number, nowMs: number): void {
    const { chain, number, active } = flow;
    const ring = this.#ring;
    copyPacket(ring, ring.payload(0), from, start, length);
    ring.add(length, length, Flag.UpstreamDirection, 0, 0);
    ring.describe(0, number + FIRST_SESSION_CONTEXT);
    if (!chain.isEmpty) {
      chain.run(ring, 0, 1, true, nowMs * 1e6);
      this.chainDue(chain.hasOutgoing ? nowMs : chain.nextMs);
    }
    const at = ring.descriptors >> 2;
    const goesOn = (ring.words[at + Word.action]! & 0xff) === Action.Continue;
    if (goesOn && active)
      this.#rtcp.sendToSource(
        active,
        ring,
        ring.words[at + Word.data]!,
        ring.words[at + Word.length]! & 0xffff,
      );
    ring.clear();
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
