// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { create } from "@msm/xds-protos";
import {
  type FlowEvent,
  FlowEvent_Kind,
  FlowEventSchema,
  type LegState,
  LegStateSchema,
} from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { ConfigError } from "../config-error.ts";
import type { SocketAddress } from "../plan.ts";
import type { LegIntent } from "./flow-intent.ts";
import { type LegRecords, LegWord, RECORD_WORDS } from "./leg-records.ts";

/** Where the addresses of legs are read. */
export interface RecordsOfLegs {
  recordsOf(leg: LegIntent): LegRecords;
}

/** An event about legs. */
export function legEvent(
  kind: FlowEvent_Kind,
  flow: string,
  legs: readonly LegIntent[],
  rooms: RecordsOfLegs,
): FlowEvent {
  return create(FlowEventSchema, {
    flow,
    kind,
    legs: legs.map((leg) => legState(leg, rooms.recordsOf(leg))),
  });
}

/** An event that has no legs. */
export function flowEvent(kind: FlowEvent_Kind, flow: string): FlowEvent {
  return create(FlowEventSchema, { flow, kind });
}

/** Says why a flow could not be opened or changed. What is no refusal is a fault of this proxy; the others run on. */
export function failedEvent(flow: string, error: unknown): FlowEvent {
  const { code, message } =
    error instanceof ConfigError ? error : new ConfigError("MSM_CONFIG_FAULT", "flow", String(error));
  return create(FlowEventSchema, { flow, kind: FlowEvent_Kind.FAILED, code, message });
}

/** A leg's addresses: its own, and its far end's as they are known by now. */
export function legState({ plan, record, sockets, told }: LegIntent, records: LegRecords): LegState {
  if (sockets === undefined || told.transport.kind !== "udp") return create(LegStateSchema, { id: plan.id });
  const { remoteEpoch, remote, remoteRtcp } = told.transport;
  // Before the worker was told of it, or of its new far end, there is nothing to learn from the record.
  const isInForce = records.words[record * RECORD_WORDS + LegWord.remoteEpoch] === remoteEpoch;
  return create(LegStateSchema, {
    id: plan.id,
    ...toMessage("local", sockets.rtp.open.localAddress),
    ...toMessage("localRtcp", sockets.rtcp?.open.localAddress),
    ...toMessage("remote", isInForce ? records.address(record, LegWord.remote) : remote),
    ...toMessage(
      "remoteRtcp",
      sockets.rtcp && (isInForce ? records.address(record, LegWord.remoteRtcp) : remoteRtcp),
    ),
  });
}

function toMessage(field: string, address: SocketAddress | undefined): object {
  return address === undefined ? {} : { [field]: { ip: address.address, port: address.port } };
}
