// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { defineMetric, MetricType, mapMetric } from "@msm/filter-sdk/assembly/signalling";

/** What is there now: byte offsets of the gauges, which the host reads after each call. */
export enum Gauge {
  /** Sessions of readers and of publishers. */
  Sessions = 0,
  /** Readers that play. */
  Readers = 8,
  /** Servers of which a stream is read. */
  Sources = 16,
  Publishers = 24,
}

/** What happened: byte offsets of the counters. */
export enum Event {
  /** A source was lost while it had readers. */
  SourcesLost = 32,
  /** Its readers went on at another one, or at the same again. */
  SourcesRevived = 40,
  /** A reader or publisher was silent for too long. */
  SessionsTimedOut = 48,
}

const VALUES = memory.data(56, 8);

// One counter for each method and status that was seen, of those that are known: their number is bounded.
const METHODS: string[] = [
  "OPTIONS",
  "DESCRIBE",
  "SETUP",
  "PLAY",
  "PAUSE",
  "TEARDOWN",
  "GET_PARAMETER",
  "SET_PARAMETER",
  "ANNOUNCE",
  "RECORD",
];
const STATUSES: i32[] = [
  200, 400, 401, 403, 404, 406, 408, 413, 414, 415, 451, 453, 454, 455, 459, 460, 461, 500, 501, 502, 503,
  504, 505, 551,
];

/** An instance may have 256 metrics; combinations that come after so many count as `other`. */
const MAX_COMBINATIONS: i32 = 200;
const requests = new Map<i32, usize>();

/** Defines the metrics that are always there; README.md says what each one means. */
export function defineMetrics(): void {
  gauge("msm_rtsp_sessions", Gauge.Sessions);
  gauge("msm_rtsp_readers", Gauge.Readers);
  gauge("msm_rtsp_sources", Gauge.Sources);
  gauge("msm_rtsp_publishers", Gauge.Publishers);
  counter("msm_rtsp_sources_lost_total", Event.SourcesLost);
  counter("msm_rtsp_sources_revived_total", Event.SourcesRevived);
  counter("msm_rtsp_sessions_timed_out_total", Event.SessionsTimedOut);
}

/** Moves a gauge by one or a few. */
export function move(which: Gauge, delta: i64): void {
  store<i64>(VALUES + <usize>which, load<i64>(VALUES + <usize>which) + delta);
}

/** Counts an event. */
export function count(which: Event): void {
  store<u64>(VALUES + <usize>which, load<u64>(VALUES + <usize>which) + 1);
}

/** Counts an answer to a client. */
export function countRequest(method: string, status: i32): void {
  let methodIndex = METHODS.indexOf(method);
  let statusIndex = STATUSES.indexOf(status);
  let key = keyOf(methodIndex, statusIndex);
  if (requests.size >= MAX_COMBINATIONS && !requests.has(key)) {
    methodIndex = -1;
    statusIndex = -1;
    key = keyOf(-1, -1);
  }
  if (!requests.has(key)) requests.set(key, defineRequests(methodIndex, statusIndex));
  const at = requests.get(key);
  store<u64>(at, load<u64>(at) + 1);
}

function keyOf(method: i32, status: i32): i32 {
  return (method + 1) * 64 + status + 1;
}

function defineRequests(method: i32, status: i32): usize {
  const methodLabel = method < 0 ? "other" : METHODS[method];
  const statusLabel = status < 0 ? "other" : STATUSES[status].toString();
  const at = heap.alloc(8);
  store<u64>(at, 0);
  const name = 'msm_rtsp_requests_total{method="' + methodLabel + '",status="' + statusLabel + '"}';
  mapMetric(defineMetric(MetricType.Counter, name), at);
  return at;
}

function gauge(name: string, which: Gauge): void {
  mapMetric(defineMetric(MetricType.Gauge, name), VALUES + <usize>which);
}

function counter(name: string, which: Event): void {
  mapMetric(defineMetric(MetricType.Counter, name), VALUES + <usize>which);
}
