// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// The signalling host, `@msm/proxy/signalling`: for the harness that tests signalling filters.
export type { FlowChange } from "../flow/flow-service.ts";
export { MAX_DATA_BYTES, type PeerAddresses, SignallingGuest } from "./signalling-guest.ts";
export type { SignallingOptions } from "./signalling-options.ts";
export { legProperties, routeProperties, signallingProperties } from "./signalling-properties.ts";
export type * from "./signalling-world.ts";
export { type AskedStream, MemoryWorld } from "./testing/memory-world.ts";
