// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Flows: msm.flow.v1 in JSON. Each call is answered by `SignallingFilter.onFlow`.
import { propertyText } from "./connections";
import { msm_change_flow, msm_close_flow, msm_open_flow } from "./env";
import { JsonWriter } from "./json-writer";

const outId = memory.data(4, 4);

/** Opens a flow. Returns its number, or 0 where it was refused. */
export function openFlow(flow: JsonWriter): u32 {
  return msm_open_flow(flow.out.address, flow.out.size, outId) == 0 ? load<u32>(outId) : 0;
}

/** Adds, changes and (`removed`: their ids) takes away legs. */
export function changeFlow(id: u32, change: JsonWriter): bool {
  return msm_change_flow(id, change.out.address, change.out.size) == 0;
}

/** Closes a flow. */
export function closeFlow(id: u32): void {
  msm_close_flow(id);
}

/** `local`, `local_rtcp`, `remote` or `remote_rtcp` of a leg, as `ip:port`. */
export function legAddress(id: u32, leg: string, which: string): string {
  return propertyText("msm.flow." + id.toString() + "." + leg + "." + which);
}

/** Why a flow failed: `code` or `message`. */
export function flowText(id: u32, which: string): string {
  return propertyText("msm.flow." + id.toString() + "." + which);
}
