// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Calls in: the exports of ABI.md. A filter re-exports them all with one line:
// `export * from "@msm/filter-sdk/assembly/abi";`
import { Batch, PluginInfo } from "./datagram";
import { registeredFilter } from "./filter";
import { isReceiving } from "./host";

const PLUGIN_CONTEXT: u32 = 1;

// Memory for what host calls hand over while a filter reads properties: used again and again, because the
// runtime `stub` frees nothing and sessions come and go for ever.
let scratch: usize = 0;
let scratchBytes: usize = 0;

export function proxy_abi_version_0_2_1(): void {}

export function msm_abi_version_0_1_0(): void {}

export function proxy_on_memory_allocate(size: usize): usize {
  if (!isReceiving) return heap.alloc(size);
  if (size > scratchBytes) {
    // Twice as much each time: what it leaves behind is less than what it has, where nothing is freed.
    scratchBytes = max(size, scratchBytes << 1);
    scratch = heap.alloc(scratchBytes);
  }
  return scratch;
}

export function proxy_on_vm_start(context: u32, size: u32): bool {
  return true;
}

export function proxy_on_configure(context: u32, size: u32): bool {
  return registeredFilter().configure();
}

export function msm_describe(out: usize, size: u32): i32 {
  registeredFilter().describe(changetype<PluginInfo>(out));
  return 0;
}

export function msm_on_datagrams(context: u32, batch: usize): i32 {
  registeredFilter().onDatagrams(changetype<Batch>(batch));
  return 0;
}

export function proxy_on_context_create(context: u32, parent: u32): void {}

export function proxy_on_new_connection(context: u32): i32 {
  registeredFilter().onSession(context);
  return 0;
}

export function proxy_on_done(context: u32): bool {
  return true;
}

export function proxy_on_delete(context: u32): void {
  if (context != PLUGIN_CONTEXT) registeredFilter().onSessionClosed(context);
}

export function proxy_on_tick(context: u32): void {
  registeredFilter().onTick();
}

export function proxy_on_queue_ready(context: u32, queue: u32): void {
  registeredFilter().onQueueReady(queue);
}

export function msm_on_timer(context: u32, timer: u32, batch: usize): void {
  registeredFilter().onTimer(context, timer, changetype<Batch>(batch));
}

export function msm_on_hand_over(session: u32): void {
  registeredFilter().onHandOver(session);
}

export function msm_on_report(context: u32): void {
  registeredFilter().onReport();
}
