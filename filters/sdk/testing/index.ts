// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// What a filter is tested with.
export { type BenchRow, benchFilter } from "./author/bench-filter.ts";
export { type ContractResult, checkContract } from "./author/contract.ts";
export { newFilter } from "./author/new-filter.ts";
export { type CapturedDatagram, readPcap, writePcap } from "./author/pcap.ts";
export { compileFolder } from "./compile.mjs";
export { Dialog } from "./dialog.ts";
export { FilterHarness, type HarnessOptions, type RunOptions, type RunResult } from "./filter-harness.ts";
export { findLanguages, languageOf } from "./find-languages.mjs";
export {
  type ReceiverReport,
  type ReportBlock,
  receiverReport,
  type SenderReport,
  senderReport,
} from "./rtcp.ts";
export { type RtpFields, rtp } from "./rtp.ts";
export { routeTo, SignallingHarness, type SignallingHarnessOptions } from "./signalling-harness.ts";
export { type Flow, type Leg, TestFlows } from "./test-flows.ts";
export { TestPeer } from "./test-peer.ts";

/** Actions in the results of a run: what becomes of a datagram. */
export const Continue = 0;
export const Pause = 1;
export const Drop = 2;
export const Consume = 3;
export const Reply = 4;
