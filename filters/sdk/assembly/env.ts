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
export declare function msm_map_metric(id: u32, address: usize): i32;
export declare function msm_define_reason(code: u32, name: usize, size: usize): i32;
export declare function msm_read_datagram(index: u32, offset: u32, to: usize, size: u32): i32;
export declare function msm_report_stream(context: u32, stream: usize, size: u32): i32;
