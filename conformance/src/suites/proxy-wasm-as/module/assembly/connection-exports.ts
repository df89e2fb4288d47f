// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// The SDK has the callbacks of connections, but not the exports by which a host calls them.
import { getContext, PeerTypeValues } from "@solo-io/proxy-runtime/runtime";

export function proxy_on_new_connection(context: u32): i32 {
  return getContext(context).onNewConnection();
}

export function proxy_on_downstream_data(context: u32, size: u32, end: u32): i32 {
  return getContext(context).onDownstreamData(size, end != 0);
}

export function proxy_on_upstream_data(context: u32, size: u32, end: u32): i32 {
  return getContext(context).onUpstreamData(size, end != 0);
}

export function proxy_on_downstream_connection_close(context: u32, peer: u32): void {
  getContext(context).onDownstreamConnectionClose(<PeerTypeValues>peer);
}

export function proxy_on_upstream_connection_close(context: u32, peer: u32): void {
  getContext(context).onUpstreamConnectionClose(<PeerTypeValues>peer);
}
