// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** The Proxy-Wasm calls that this host serves, in module `env`. */
export const proxyCalls = [
  "proxy_log",
  "proxy_get_log_level",
  "proxy_get_current_time_nanoseconds",
  "proxy_set_tick_period_milliseconds",
  "proxy_set_effective_context",
  "proxy_done",
  "proxy_get_property",
  "proxy_get_buffer_bytes",
  "proxy_get_buffer_status",
  "proxy_define_metric",
  "proxy_increment_metric",
  "proxy_record_metric",
  "proxy_get_metric",
] as const;

/** The calls by which filters share data, keep it with a session, and act on sessions later, in module `env`. */
export const sharingCalls = [
  "proxy_set_property",
  "proxy_set_buffer_bytes",
  "proxy_continue_stream",
  "proxy_close_stream",
  "proxy_get_shared_data",
  "proxy_set_shared_data",
  "proxy_register_shared_queue",
  "proxy_resolve_shared_queue",
  "proxy_enqueue_shared_queue",
  "proxy_dequeue_shared_queue",
  "msm_set_timer",
  "msm_route_session",
] as const;

/** The calls of the datagram extension, in module `env`. */
export const msmCalls = [
  "msm_map_metric",
  "msm_define_reason",
  "msm_read_datagram",
  "msm_report_stream",
  "msm_resolve_target",
] as const;

/** The calls by which filters write to files that the host keeps, in module `env`. */
export const sinkCalls = ["msm_open_sink", "msm_write_sink"] as const;

/** The calls of signalling filters, in module `env`. Elsewhere they answer UNIMPLEMENTED. */
export const signallingCalls = [
  "msm_read_buffer",
  "msm_reply",
  "msm_stream_connect",
  "msm_stream_write",
  "msm_stream_close",
  "msm_open_flow",
  "msm_update_flow",
  "msm_change_flow",
  "msm_close_flow",
  "msm_interleaved_data",
  "msm_select_route",
  "msm_report_result",
  "msm_release_route",
] as const;

/**
 * Proxy-Wasm calls that SDKs import whether a filter uses them or not. They exist and answer UNIMPLEMENTED: they
 * belong to HTTP, to gRPC or to byte streams, which datagram filters do not have.
 */
export const unimplementedCalls = [
  "proxy_get_status",
  "proxy_get_header_map_pairs",
  "proxy_set_header_map_pairs",
  "proxy_get_header_map_size",
  "proxy_get_header_map_value",
  "proxy_add_header_map_value",
  "proxy_replace_header_map_value",
  "proxy_remove_header_map_value",
  "proxy_send_local_response",
  "proxy_continue_request",
  "proxy_continue_response",
  "proxy_clear_route_cache",
  "proxy_http_call",
  "proxy_grpc_call",
  "proxy_grpc_stream",
  "proxy_grpc_send",
  "proxy_grpc_cancel",
  "proxy_grpc_close",
  "proxy_call_foreign_function",
] as const;

/** The module name of WASI preview 1. */
export const WASI_MODULE = "wasi_snapshot_preview1";

/** The name that it had before; older compilers write it. The functions that every filter has are the same in both. */
export const WASI_UNSTABLE_MODULE = "wasi_unstable";

/** The part of WASI preview 1 that language runtimes import before any filter code runs. */
export const wasiCalls = [
  "fd_write",
  "fd_close",
  "fd_seek",
  "fd_fdstat_get",
  "clock_time_get",
  "random_get",
  "environ_get",
  "environ_sizes_get",
  "args_get",
  "args_sizes_get",
  "proc_exit",
] as const;

/** Whether the host has such a function. */
export function isKnownImport(module: string, name: string): boolean {
  if (module === WASI_MODULE || module === WASI_UNSTABLE_MODULE) return includes(wasiCalls, name);
  return (
    module === "env" &&
    [proxyCalls, msmCalls, sharingCalls, sinkCalls, signallingCalls, unimplementedCalls].some((calls) =>
      includes(calls, name),
    )
  );
}

function includes(names: readonly string[], name: string): boolean {
  return names.includes(name);
}
