// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// A network filter as a user of @solo-io/proxy-runtime writes it for Envoy: "ping" at the begin of what a client sends
// becomes the word of the configuration, what comes back begins with a star, "drop" is dropped, and all is counted.
import {
  Context,
  Counter,
  FilterStatusValues,
  LogLevelValues,
  log,
  RootContext,
  registerRootContext,
} from "@solo-io/proxy-runtime";
import { proxy_get_buffer_bytes } from "@solo-io/proxy-runtime/imports";
import { BufferTypeValues, get_property, PeerTypeValues } from "@solo-io/proxy-runtime/runtime";

export * from "@solo-io/proxy-runtime/proxy";
// After those of the SDK, through which the compiler learns which classes there are.
export * from "./connection-exports";

// The SDK does not have this call.
// @ts-ignore: decorator
@external("env", "proxy_set_buffer_bytes")
declare function proxy_set_buffer_bytes(type: u32, start: u32, size: u32, data: usize, length: usize): u32;

class Bytes {
  address: usize = 0;
  size: usize = 0;
}

function textOf(type: BufferTypeValues, size: usize): string {
  const out = new Bytes();
  const at = changetype<usize>(out);
  if (size == 0 || proxy_get_buffer_bytes(type, 0, <u32>size, at, at + sizeof<usize>()) != 0) return "";
  return String.UTF8.decodeUnsafe(out.address, out.size);
}

function replace(type: BufferTypeValues, size: u32, text: string): void {
  const bytes = String.UTF8.encode(text);
  proxy_set_buffer_bytes(type, 0, size, changetype<usize>(bytes), bytes.byteLength);
}

class PingRoot extends RootContext {
  chunks: Counter = new Counter("sdk_chunks");
  closes: Counter = new Counter("sdk_closes");

  createContext(context_id: u32): Context {
    return new Ping(context_id, this);
  }
}

class Ping extends Context {
  root: PingRoot;

  constructor(context_id: u32, root: PingRoot) {
    super(context_id, root);
    this.root = root;
  }

  onNewConnection(): FilterStatusValues {
    log(LogLevelValues.info, "from " + String.UTF8.decode(get_property("source\0address")));
    return FilterStatusValues.Continue;
  }

  onDownstreamData(size: usize, end: bool): FilterStatusValues {
    const text = textOf(BufferTypeValues.NetworkDownstreamData, size);
    if (text.length > 0) this.root.chunks.increment(1);
    if (text.startsWith("ping")) replace(BufferTypeValues.NetworkDownstreamData, 4, this.root.getConfiguration());
    if (text.startsWith("drop")) replace(BufferTypeValues.NetworkDownstreamData, <u32>size, "");
    return FilterStatusValues.Continue;
  }

  onUpstreamData(size: usize, end: bool): FilterStatusValues {
    if (size > 0) replace(BufferTypeValues.NetworkUpstreamData, 1, "*");
    return FilterStatusValues.Continue;
  }

  onDownstreamConnectionClose(peer: PeerTypeValues): void {
    this.root.closes.increment(1);
  }

  onUpstreamConnectionClose(peer: PeerTypeValues): void {
    this.root.closes.increment(1);
  }
}

registerRootContext((context_id: u32) => {
  return new PingRoot(context_id);
}, "ping");
