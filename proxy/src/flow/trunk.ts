// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** What crosses a trunk: media, or RTCP, which goes both ways. */
export const TrunkChannel = { media: 0, rtcp: 1 } as const;

/** A connection of a ring has 32 bits: so many for the flow, the rest, enough for 262,144 legs, for the source's record. */
const FLOW_BITS = 14;
/** The most flows of one worker. */
export const MOST_FLOWS = 1 << FLOW_BITS;

/** What stands for another datapath worker where signalling workers have the numbers of their attachments. */
export function trunkAttachment(worker: number): number {
  return -1 - worker;
}

/** Names a flow of the worker that has it, and the source whose media follow: a branch sees a switch by it. */
export function trunkConnection(flow: number, source: number): number {
  return (flow | (source << FLOW_BITS)) >>> 0;
}

export function trunkFlow(connection: number): number {
  return connection & (MOST_FLOWS - 1);
}

export function trunkSource(connection: number): number {
  return connection >>> FLOW_BITS;
}
