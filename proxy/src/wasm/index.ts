// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// The filter host, `@msm/proxy/wasm`: for the rest of the proxy, for the harness that tests filters, and the ABI's
// numbers and names for whoever compares them with the document and the SDK.
export { Action, Flag, Word } from "../datapath/batch.ts";
export * as abi from "./abi.ts";
export { checkFilter } from "./check-filter.ts";
export { type CompiledFilter, compileFilter, type FilterTrust } from "./compile-filter.ts";
export type { Outgoing } from "./detour.ts";
export { FilterChain } from "./filter-chain.ts";
export type { FilterEnvironment, MetricHandle, MetricKind, SessionInfo } from "./filter-environment.ts";
export { failureKinds } from "./filter-failure.ts";
export type { FilterOptions, ReloadPolicy, RunnableFilter } from "./filter-options.ts";
export { allocatorExports, requiredExports } from "./guest-calls.ts";
export {
  msmCalls,
  proxyCalls,
  sharingCalls,
  signallingCalls,
  sinkCalls,
  unimplementedCalls,
  wasiCalls,
} from "./import-names.ts";
export { propertyReaders } from "./properties.ts";
export type { StreamReport } from "./stream-report.ts";
export { MemoryBatch, type StagedDatagram } from "./testing/memory-batch.ts";
export { type LogLine, MemoryEnvironment } from "./testing/memory-environment.ts";
export { type SentDatagram, takeOutgoing } from "./testing/take-outgoing.ts";
