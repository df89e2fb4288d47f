// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// The host functions of ABI.md that the SDK uses, as they are. The file's name is the module that they are
// imported from: `env`.
export declare function proxy_log(level: i32, text: usize, size: usize): i32;
export declare function proxy_set_tick_period_milliseconds(period: u32): i32;
export declare function proxy_get_current_time_nanoseconds(out: usize): i32;
export declare function proxy_get_buffer_bytes(
  type: i32,
  start: u32,
  size: u32,
  out: usize,
  outSize: usize,
): i32;
export declare function proxy_get_property(path: usize, size: usize, out: usize, outSize: usize): i32;
export declare function proxy_define_metric(type: i32, name: usize, size: usize, idOut: usize): i32;
export declare function proxy_record_metric(id: u32, value: u64): i32;
export declare function proxy_set_effective_context(context: u32): i32;
export declare function proxy_set_property(path: usize, size: usize, value: usize, valueSize: usize): i32;
export declare function proxy_continue_stream(type: i32): i32;
export declare function proxy_close_stream(type: i32): i32;
export declare function proxy_get_shared_data(
  key: usize,
  size: usize,
  out: usize,
  outSize: usize,
  outCas: usize,
): i32;
export declare function proxy_set_shared_data(
  key: usize,
  size: usize,
  value: usize,
  valueSize: usize,
  cas: u32,
): i32;
export declare function msm_set_timer(context: u32, id: u32, delayUs: i64, periodUs: i64): i32;
export declare function msm_route_session(context: u32, address: usize, size: usize): i32;
export declare function msm_resolve_target(kind: i32, name: usize, size: usize, target: usize): i32;
export declare function msm_open_sink(
  name: usize,
  size: usize,
  header: usize,
  headerSize: usize,
  sink: usize,
): i32;
export declare function msm_write_sink(sink: u32, address: usize, size: usize): i32;
export declare function msm_map_metric(id: u32, address: usize): i32;
export declare function msm_define_reason(code: u32, name: usize, size: usize): i32;
export declare function msm_read_datagram(index: u32, offset: u32, to: usize, size: u32): i32;
export declare function msm_report_stream(context: u32, stream: usize, size: u32): i32;
export declare function msm_read_buffer(type: i32, start: u32, size: u32, to: usize): i32;
export declare function msm_reply(context: u32, data: usize, size: usize): i32;
export declare function msm_stream_connect(json: usize, size: usize, contextOut: usize): i32;
export declare function msm_stream_write(context: u32, data: usize, size: usize): i32;
export declare function msm_stream_close(context: u32, how: i32): i32;
export declare function msm_open_flow(json: usize, size: usize, idOut: usize): i32;
export declare function msm_change_flow(id: u32, json: usize, size: usize): i32;
export declare function msm_close_flow(id: u32): i32;
export declare function msm_interleaved_data(context: u32, channel: u32, data: usize, size: usize): i32;
export declare function msm_select_route(json: usize, size: usize, handleOut: usize): i32;
export declare function msm_report_result(handle: u32, code: i32): i32;
export declare function msm_release_route(handle: u32): i32;
