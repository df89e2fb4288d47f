// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// The numbers of the filter ABI as the host has them. `filters/sdk/ABI.md` documents them and a test compares
// the two. Descriptors (`msm_dgram`) are in `datapath/batch.ts`, because the rings use the same layout.

/** `proxy_status_t` of Proxy-Wasm 0.2.1: what a host call answers. */
export const Status = {
  Ok: 0,
  NotFound: 1,
  BadArgument: 2,
  SerializationFailure: 3,
  ParseFailure: 4,
  InvalidMemoryAccess: 6,
  Empty: 7,
  CasMismatch: 8,
  InternalFailure: 10,
  Unimplemented: 12,
  QuotaExceeded: 64,
  Denied: 66,
} as const;

/** `proxy_log_level_t`. */
export const LogLevel = { Trace: 0, Debug: 1, Info: 2, Warn: 3, Error: 4, Critical: 5 } as const;

/** `proxy_metric_type_t`. */
export const MetricType = { Counter: 0, Gauge: 1, Histogram: 2 } as const;

/** `proxy_buffer_type_t`, those that a datagram filter can read. */
export const BufferType = {
  DownstreamData: 2,
  UpstreamData: 3,
  VmConfiguration: 6,
  PluginConfiguration: 7,
} as const;

/** Bits of `stages` of `msm_plugin_info`. */
export const Stage = { Listener: 1, Session: 2, Egress: 4 } as const;

/** Bits of the property `msm.abi.features`: what this host has beyond the base of the extension. */
export const Feature = {
  MapMetric: 1,
  ReportStream: 2,
  DefineReason: 4,
  Headroom: 8,
  ReadDatagram: 16,
  Unchanged: 32,
  Emit: 64,
  Divert: 128,
  Timers: 256,
  Share: 512,
  Target: 1024,
  Stages: 2048,
} as const;

/** What `msm_on_stream` tells of a connection or a stream. */
export const StreamEvent = { Connected: 1, Failed: 2, Writable: 3, Closed: 4 } as const;

/** What `msm_on_flow` tells: the numbers of `msm.flow.v1.FlowEvent.Kind`. */
export const FlowNews = { Opened: 1, Failed: 2, FirstPacket: 3, Idle: 4, Closed: 5 } as const;

/** Context id of the plugin itself, the root context. */
export const PLUGIN_CONTEXT = 1;

/** Context id of the session with index 0; the others follow. */
export const FIRST_SESSION_CONTEXT = 2;

/** Drop reasons from here on are the host's own; a filter may use those below. */
export const FIRST_HOST_REASON = 128;

/** Drop reason of datagrams that a failed FAIL_CLOSED filter holds back. */
export const REASON_FILTER_FAILED = 255;

/** Byte offsets in `msm_batch`. */
export const BatchField = {
  structSize: 0,
  descSize: 4,
  count: 8,
  capacity: 12,
  descs: 16,
  slots: 20,
  slotSize: 24,
  headroom: 28,
  nowNs: 32,
  wallNs: 40,
  emitted: 48,
  flags: 52,
  order: 56,
  orderLen: 60,
} as const;

/** Bits of `flags` of `msm_batch`. */
export const BatchFlag = { Unchanged: 1 } as const;

/** Size of `msm_batch` in bytes. */
export const BATCH_BYTES = 64;

/** Byte offsets in `msm_plugin_info`. */
export const InfoField = {
  structSize: 0,
  stages: 4,
  window: 8,
  maxBatch: 12,
  emitCapacity: 16,
  headroom: 20,
  slotSize: 24,
  drainMs: 28,
} as const;

/** Size of `msm_plugin_info` in bytes. */
export const INFO_BYTES = 32;

/** Byte offsets in `msm_addrs`: where a datagram at stage LISTENER comes from, and where it was sent to. */
export const AddressField = { family: 0, pad: 1, sport: 2, dport: 4, pad2: 6, src: 8, dst: 24 } as const;

/** Size of `msm_addrs` in bytes. */
export const ADDRESS_BYTES = 40;

/** Byte offsets in `msm_stream`. */
export const StreamField = {
  structSize: 0,
  flags: 4,
  ssrc: 8,
  clockRate: 12,
  payloadType: 16,
  restarts: 20,
  packets: 24,
  bytes: 32,
  lost: 40,
  reordered: 48,
  duplicated: 56,
  jitterNs: 64,
  farFractionLost: 72,
  farCumulativeLost: 76,
  farJitterNs: 80,
  farRoundTripNs: 88,
} as const;

/** Size of `msm_stream` in bytes. */
export const STREAM_BYTES = 96;

/** Bits of `flags` of `msm_stream`. */
export const StreamFlag = { UpstreamDirection: 1, Far: 2, RoundTrip: 4 } as const;
