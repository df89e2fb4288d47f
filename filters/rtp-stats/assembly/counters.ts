// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { defineMetric, MetricType, mapMetric, recordMetric } from "@msm/filter-sdk/assembly";

/** Byte offsets of the counters: the host reads them after each batch, counting is an addition here. */
export enum Count {
  Packets = 0,
  Bytes = 8,
  Lost = 16,
  Reordered = 24,
  Duplicated = 32,
  Restarts = 40,
  NotRtp = 48,
  Rtcp = 56,
  Active = 64,
}

const counts = memory.data(72, 8);

let jitterSeconds: u32 = 0;
let roundTripSeconds: u32 = 0;

/** Defines the metrics; README.md says what each one means. */
export function defineCounters(): void {
  map(MetricType.Counter, "msm_rtp_packets_total", Count.Packets);
  map(MetricType.Counter, "msm_rtp_bytes_total", Count.Bytes);
  map(MetricType.Counter, "msm_rtp_packets_lost_total", Count.Lost);
  map(MetricType.Counter, "msm_rtp_packets_reordered_total", Count.Reordered);
  map(MetricType.Counter, "msm_rtp_packets_duplicated_total", Count.Duplicated);
  map(MetricType.Counter, "msm_rtp_seq_resets_total", Count.Restarts);
  map(MetricType.Counter, "msm_rtp_not_rtp_total", Count.NotRtp);
  map(MetricType.Counter, "msm_rtcp_packets_total", Count.Rtcp);
  map(MetricType.Gauge, "msm_streams_active", Count.Active);
  jitterSeconds = defineMetric(MetricType.Histogram, "msm_rtp_jitter_seconds");
  roundTripSeconds = defineMetric(MetricType.Histogram, "msm_rtcp_round_trip_seconds");
}

export function count(which: Count, delta: u64): void {
  const at = counts + <usize>which;
  store<u64>(at, load<u64>(at) + delta);
}

export function setActive(streams: u32): void {
  store<u64>(counts, <u64>streams, Count.Active);
}

export function observeJitter(jitterNs: u64): void {
  recordMetric(jitterSeconds, jitterNs);
}

export function observeRoundTrip(roundTripNs: u64): void {
  recordMetric(roundTripSeconds, roundTripNs);
}

function map(type: MetricType, name: string, which: Count): void {
  mapMetric(defineMetric(type, name), counts + <usize>which);
}
