// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Calls out, in the forms that filters use. None of them leaves memory behind, but making the strings that they take
// does: those belong into `configure`.

import {
  msm_define_reason,
  msm_map_metric,
  msm_open_sink,
  msm_read_datagram,
  msm_report_stream,
  msm_resolve_target,
  msm_route_session,
  msm_set_timer,
  msm_write_sink,
  proxy_close_stream,
  proxy_continue_stream,
  proxy_define_metric,
  proxy_get_buffer_bytes,
  proxy_get_current_time_nanoseconds,
  proxy_get_property,
  proxy_get_shared_data,
  proxy_log,
  proxy_record_metric,
  proxy_set_effective_context,
  proxy_set_property,
  proxy_set_shared_data,
  proxy_set_tick_period_milliseconds,
} from "./env";

const PLUGIN_CONFIGURATION: i32 = 7;

// Two out fields: an address and a size.
const outAddress = memory.data(4, 4);
const outSize = memory.data(4, 4);
const outTime = memory.data(8, 8);
const outCas = memory.data(4, 4);

// `proxy_stream_type_t`: from the client, and from the endpoint.
const DOWNSTREAM_DATA: i32 = 2;
const UPSTREAM_DATA: i32 = 3;

/** Levels of `log`. */
export enum LogLevel {
  Trace = 0,
  Debug = 1,
  Info = 2,
  Warn = 3,
  Error = 4,
  Critical = 5,
}

/** Kinds of metric. */
export enum MetricType {
  Counter = 0,
  Gauge = 1,
  Histogram = 2,
}

/** A piece of memory. */
export class Bytes {
  constructor(
    public address: usize,
    public size: u32,
  ) {}
}

/** What `property` returns. */
const found = new Bytes(0, 0);

// Text on its way to the host, and its length. It grows to the longest text and stays.
let encoded: usize = 0;
let encodedCapacity: usize = 0;
let encodedSize: usize = 0;

/** Where the allocator puts what a host call hands over; see `abi.ts`. */
export let isReceiving: bool = false;

/** Writes a line to the proxy's log, limited in rate by the host. */
export function log(level: LogLevel, text: string): void {
  encode(text);
  proxy_log(level, encoded, encodedSize);
}

/** Asks for `onTick` every `period` milliseconds; 0 stops it. */
export function setTickPeriod(period: u32): void {
  proxy_set_tick_period_milliseconds(period);
}

/** The wall clock in nanoseconds. It stands still during a batch, where `Batch.wallNs` says the same. */
export function currentTimeNs(): u64 {
  proxy_get_current_time_nanoseconds(outTime);
  return load<u64>(outTime);
}

/** The filter's configuration as it came from the control plane. */
export function configuration(): Bytes {
  store<u32>(outSize, 0);
  proxy_get_buffer_bytes(PLUGIN_CONFIGURATION, 0, u32.MAX_VALUE, outAddress, outSize);
  return new Bytes(load<u32>(outAddress), load<u32>(outSize));
}

/**
 * A property in the context of the call that is running, e.g. `source.address` in `onSession`; empty where there
 * is none. The result is the same object at every call and its bytes are valid until the next one.
 */
export function property(path: string): Bytes {
  encode(path);
  store<u32>(outSize, 0);
  isReceiving = true;
  proxy_get_property(encoded, encodedSize, outAddress, outSize);
  isReceiving = false;
  found.address = load<u32>(outAddress);
  found.size = load<u32>(outSize);
  return found;
}

/** Defines a metric, whose name may carry labels: `rtp_lost{kind="audio"}`. Returns its id. */
export function defineMetric(type: MetricType, name: string): u32 {
  encode(name);
  if (proxy_define_metric(type, encoded, encodedSize, outAddress) != 0) unreachable();
  return load<u32>(outAddress);
}

/** Sets a gauge or observes a value in a histogram: nanoseconds where the name ends in `_seconds`. */
export function recordMetric(id: u32, value: u64): void {
  proxy_record_metric(id, value);
}

/**
 * Lets a counter or gauge follow the u64 at `address`, a multiple of 8. The host looks after each batch and each
 * tick, so that counting is an addition in memory and no call.
 */
export function mapMetric(id: u32, address: usize): void {
  if (msm_map_metric(id, address) != 0) unreachable();
}

/** Names drop reason `code`, 1 to 127, for the label `reason` of `msm_filter_dropped_total`. */
export function defineReason(code: u8, name: string): void {
  encode(name);
  if (msm_define_reason(code, encoded, encodedSize) != 0) unreachable();
}

/**
 * Copies `size` bytes from `offset` of datagram `index` of the batch at hand to `to`, also those beyond the window.
 * Costs a call: for the few datagrams that need it, where a larger window would cost a copy for each.
 */
export function readDatagram(index: u32, offset: u32, to: usize, size: u32): bool {
  return msm_read_datagram(index, offset, to, size) == 0;
}

/** Tells the host of one stream; allowed in `onReport` only. */
export function reportStream(session: u32, stream: usize, size: u32): void {
  msm_report_stream(session, stream, size);
}

/**
 * Has `onTimer` called for the plugin (context 1) or a session, after `delayUs` microseconds and then every `periodUs`
 * if that is not 0. A delay below 0 cancels the timer. False where there are too many.
 */
export function setTimer(context: u32, id: u32, delayUs: i64, periodUs: i64 = 0): bool {
  return msm_set_timer(context, id, delayUs, periodUs) == 0;
}

/** Lets the datagrams of a session that were paused go on, in one direction. */
export function continueSession(session: u32, isToClient: bool): void {
  proxy_set_effective_context(session);
  proxy_continue_stream(isToClient ? UPSTREAM_DATA : DOWNSTREAM_DATA);
}

/** Asks the proxy to close a session. */
export function closeSession(session: u32): void {
  proxy_set_effective_context(session);
  proxy_close_stream(DOWNSTREAM_DATA);
}

/**
 * Lets a session go on to the endpoint whose text, `ip:port`, is at `address`: one of its cluster. False where there is
 * none. Allocates nothing.
 */
export function routeSession(session: u32, address: usize, size: usize): bool {
  return msm_route_session(session, address, size) == 0;
}

/** What `resolveTarget` looks for: a cluster, or an endpoint `ip:port` of the session's cluster. */
export enum TargetKind {
  Cluster = 1,
  Endpoint = 2,
}

/** The number of a target, for `Datagram.target` of datagrams that are added; 0 where the host has none. */
export function resolveTarget(kind: TargetKind, name: string): u32 {
  encode(name);
  return msm_resolve_target(kind, encoded, encodedSize, outSize) == 0 ? load<u32>(outSize) : 0;
}

/**
 * Opens files that the proxy keeps and that begin with `size` bytes at `header`. Returns a handle, or -1 where the proxy
 * keeps none.
 */
export function openSink(name: string, header: usize, size: usize): i32 {
  encode(name);
  return msm_open_sink(encoded, encodedSize, header, size, outSize) == 0 ? load<i32>(outSize) : -1;
}

/** Writes a record, at most 64 KiB; false where the disk is behind: nothing was written. */
export function writeSink(sink: u32, address: usize, size: usize): bool {
  return msm_write_sink(sink, address, size) == 0;
}

/** Keeps a value with a session, which filters behind read as property `filter_state.<name>`. */
export function setSessionValue(session: u32, name: string, value: usize, size: u32): bool {
  encode(name);
  proxy_set_effective_context(session);
  return proxy_set_property(encoded, encodedSize, value, size) == 0;
}

/** The value under a key that filters share; the same object and its bytes until the next call, as `property`. */
export function sharedData(key: string): Bytes {
  encode(key);
  store<u32>(outSize, 0);
  isReceiving = true;
  proxy_get_shared_data(encoded, encodedSize, outAddress, outSize, outCas);
  isReceiving = false;
  found.address = load<u32>(outAddress);
  found.size = load<u32>(outSize);
  return found;
}

/** The version of what `sharedData` returned last. */
export function sharedVersion(): u32 {
  return load<u32>(outCas);
}

/** Sets a shared value; false where `version` is not 0 and not the current one. */
export function setSharedData(key: string, value: usize, size: u32, version: u32 = 0): bool {
  encode(key);
  return proxy_set_shared_data(encoded, encodedSize, value, size, version) == 0;
}

function encode(text: string): void {
  encodedSize = String.UTF8.byteLength(text);
  if (encodedSize > encodedCapacity) {
    encodedCapacity = max(encodedSize, encodedCapacity << 1);
    encoded = heap.alloc(encodedCapacity);
  }
  String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, encoded);
}
