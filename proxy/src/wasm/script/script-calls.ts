// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { BufferType } from "../abi.ts";

/** How a value of a script becomes arguments of a host call: text and bytes become an address and a size. */
export type ScriptParameter = "u32" | "i64" | "text" | "bytes" | number;

/** What a host call writes into its out fields, and what the script gets of it. */
export type ScriptResult = "u32" | "u64" | "text" | "bytes" | "shared";

/** One function of the object `msm` that scripts see. */
export interface ScriptCall {
  readonly call: string;
  readonly takes: readonly ScriptParameter[];
  /** Where it gives nothing, the script gets whether it was done. */
  readonly gives?: ScriptResult;
}

/** To the end of a buffer. */
const ALL = 0xffff_ffff;

/**
 * The host calls that scripts may make, by their names in scripts. They are the calls of every filter, with the same
 * limits and capabilities; filters/sdk/javascript/msm.d.ts describes them to editors.
 */
export const scriptCalls: Readonly<Record<string, ScriptCall>> = {
  log: { call: "proxy_log", takes: ["u32", "text"] },
  configuration: {
    call: "proxy_get_buffer_bytes",
    takes: [BufferType.PluginConfiguration, 0, ALL],
    gives: "text",
  },
  vmConfiguration: {
    call: "proxy_get_buffer_bytes",
    takes: [BufferType.VmConfiguration, 0, ALL],
    gives: "text",
  },
  buffer: { call: "proxy_get_buffer_bytes", takes: ["u32", 0, ALL], gives: "bytes" },
  setBuffer: { call: "proxy_set_buffer_bytes", takes: ["u32", "u32", "u32", "bytes"] },
  wallNs: { call: "proxy_get_current_time_nanoseconds", takes: [], gives: "u64" },
  setTickPeriod: { call: "proxy_set_tick_period_milliseconds", takes: ["u32"] },
  setTimer: { call: "msm_set_timer", takes: ["u32", "u32", "i64", "i64"] },
  setContext: { call: "proxy_set_effective_context", takes: ["u32"] },
  property: { call: "proxy_get_property", takes: ["text"], gives: "text" },
  propertyBytes: { call: "proxy_get_property", takes: ["text"], gives: "bytes" },
  setProperty: { call: "proxy_set_property", takes: ["text", "bytes"] },
  resolveTarget: { call: "msm_resolve_target", takes: ["u32", "text"], gives: "u32" },
  openSink: { call: "msm_open_sink", takes: ["text", "bytes"], gives: "u32" },
  writeSink: { call: "msm_write_sink", takes: ["u32", "bytes"] },
  routeSession: { call: "msm_route_session", takes: ["u32", "text"] },
  continueStream: { call: "proxy_continue_stream", takes: ["u32"] },
  closeStream: { call: "proxy_close_stream", takes: ["u32"] },
  defineReason: { call: "msm_define_reason", takes: ["u32", "text"] },
  defineMetric: { call: "proxy_define_metric", takes: ["u32", "text"], gives: "u32" },
  incrementMetric: { call: "proxy_increment_metric", takes: ["u32", "i64"] },
  recordMetric: { call: "proxy_record_metric", takes: ["u32", "i64"] },
  readMetric: { call: "proxy_get_metric", takes: ["u32"], gives: "u64" },
  sharedData: { call: "proxy_get_shared_data", takes: ["text"], gives: "shared" },
  setSharedData: { call: "proxy_set_shared_data", takes: ["text", "bytes", "u32"] },
  registerQueue: { call: "proxy_register_shared_queue", takes: ["text"], gives: "u32" },
  resolveQueue: { call: "proxy_resolve_shared_queue", takes: ["text", "text"], gives: "u32" },
  enqueue: { call: "proxy_enqueue_shared_queue", takes: ["u32", "bytes"] },
  dequeue: { call: "proxy_dequeue_shared_queue", takes: ["u32"], gives: "bytes" },
};
