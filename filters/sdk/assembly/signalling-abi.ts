// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Calls in for signalling filters. Such a filter re-exports them all with one line:
// `export * from "@msm/filter-sdk/assembly/signalling-abi";`
import { FlowEvent, registeredSignalling, StreamEvent } from "./signalling-filter";

export {
  msm_abi_version_0_1_0,
  proxy_abi_version_0_2_1,
  proxy_on_memory_allocate,
  proxy_on_vm_start,
} from "./abi";

const PLUGIN_CONTEXT: u32 = 1;
const CONTINUE: i32 = 0;
const PAUSE: i32 = 1;

export function proxy_on_configure(context: u32, size: u32): bool {
  return registeredSignalling().configure();
}

export function proxy_on_context_create(context: u32, parent: u32): void {}

export function proxy_on_new_connection(context: u32): i32 {
  registeredSignalling().onConnection(context);
  return CONTINUE;
}

export function proxy_on_downstream_data(context: u32, size: u32, isEnd: i32): i32 {
  return registeredSignalling().onClientData(context, size, isEnd != 0) ? PAUSE : CONTINUE;
}

export function proxy_on_upstream_data(context: u32, size: u32, isEnd: i32): i32 {
  return registeredSignalling().onStreamData(context, size, isEnd != 0) ? PAUSE : CONTINUE;
}

export function proxy_on_done(context: u32): bool {
  return true;
}

export function proxy_on_delete(context: u32): void {
  if (context != PLUGIN_CONTEXT) registeredSignalling().onConnectionClosed(context);
}

export function proxy_on_tick(context: u32): void {
  registeredSignalling().onTick();
}

export function msm_on_timer(context: u32, timer: u32, batch: usize): void {
  registeredSignalling().onTimer(context, timer);
}

export function msm_on_stream(context: u32, event: i32): void {
  registeredSignalling().onStream(context, <StreamEvent>event);
}

export function msm_on_flow(context: u32, flow: u32, event: i32): void {
  registeredSignalling().onFlow(flow, <FlowEvent>event);
}
