// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { MessagePort } from "node:worker_threads";
import type { PluginConfig } from "@msm/xds-protos/envoy/extensions/wasm/v3/wasm_pb.js";
import type { Flow, FlowEvent, LegState } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";

/** An event of a flow, with the datapath worker that has the flow: interleaved media are to be written to that one. */
export interface FlowNotice {
  readonly event: FlowEvent;
  /** -1 where no worker has it: it was refused, or it is gone. */
  readonly worker: number;
}

/** What a leg carried so far. Datagrams of one burst count one by one; RTCP counts as well. */
export interface LegCounts {
  readonly receivedDatagrams: number;
  readonly receivedBytes: number;
  readonly sentDatagrams: number;
  readonly sentBytes: number;
  /** By reason, those that are not zero. */
  readonly dropped: Readonly<Record<string, number>>;
}

/** A leg as it runs. */
export interface LiveLeg extends LegCounts {
  readonly id: string;
  readonly role: "source" | "receiver";
  readonly isEnabled: boolean;
  /** The source that is sent on; false for receivers. */
  readonly isActive: boolean;
  readonly transport: "udp" | "interleaved";
  /** The datapath worker that serves it. */
  readonly worker: number;
  readonly state: LegState;
}

/** A change of some legs of a flow. */
export interface FlowChange {
  /**
   * Legs that are new, or take the place of those with their ids. Of the other fields those that are set hold, but for `id`.
   */
  readonly changed: Flow;
  /** Ids of the legs that go. */
  readonly removed: readonly string[];
}

/** A flow as it runs. */
export interface LiveFlow {
  readonly owner: string;
  readonly id: string;
  readonly stream: string;
  readonly worker: number;
  readonly legs: readonly LiveLeg[];
}

/** The attachment of a signalling worker: the way of media that come or go inside its connections. */
export interface SignallingAttachment {
  /**
   * Number of this attachment, above 0. A leg names a connection of the worker by the number
   * `attachment * 2^32 + connection`, which is `InterleavedTransport.connection` of msm.flow.v1.
   */
  readonly number: number;
  /** Lets go of the rings. Legs that name connections of this attachment get and give nothing from then on. */
  detach(): void;
}

/**
 * The flows of this proxy, on the main thread: the authoritative intent. It is declarative: what was put is what there
 * is, until it is put again, closed or given up by its owner. Nothing throws and nothing is waited for: every answer
 * is an event to the owner, in the order of the calls.
 *
 * Owners are names that the callers choose, such as that of a signalling plugin. Events of an owner are lost while
 * nobody subscribes to them.
 */
export interface FlowService {
  /**
   * Opens the flow of that `id`, or changes it to this form. Answered by OPENED with the addresses of every leg, or by
   * FAILED with code and message; then the form before goes on, if there was one. Legs are told apart by `id`: one
   * whose transport did not change keeps its ports, what it learnt and its sequence numbers. The message must not be
   * changed afterwards.
   */
  put(owner: string, flow: Flow): void;
  /**
   * Changes some legs of a flow, at the cost of these alone. Answered as `put` is; OPENED tells of these legs. FAILED, too,
   * where there is no such flow.
   */
  change(owner: string, flowId: string, change: FlowChange): void;
  /**
   * Gives a flow other filters, which follow where those before left off; `rtp-stats` alone where there are none. Not
   * answered: what cannot be had is counted in `msm_flow_refused_total`, and the filters before stay.
   */
  rechain(owner: string, flowId: string, chain: readonly PluginConfig[]): void;
  /** Closes a flow. Answered by CLOSED when its ports are free; at once where there is no such flow. */
  close(owner: string, flowId: string): void;
  /** The owner is gone: its flows go on for `lingerMs`, then those that nobody has put again are closed. */
  release(owner: string, lingerMs: number): void;
  /** Calls `onEvent` for every event of the owner's flows, until the function that is returned is called. */
  subscribe(owner: string, onEvent: (notice: FlowNotice) => void): () => void;
  /** Every flow with its legs, read without disturbing the workers. */
  flows(): readonly LiveFlow[];
  /**
   * Attaches a signalling worker. `port` is an end of a MessageChannel whose other end that worker gives to
   * `InterleavedLinks`. It is closed when the attachment ends.
   */
  attach(port: MessagePort): SignallingAttachment;
}
