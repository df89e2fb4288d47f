// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Host functions of Proxy-Wasm 0.2.1. The file's name is the module that they are imported from: `env`.
export declare function proxy_log(level: i32, text: usize, size: usize): i32;
export declare function proxy_get_property(path: usize, size: usize, out: usize, outSize: usize): i32;
export declare function proxy_continue_stream(type: i32): i32;
export declare function proxy_get_buffer_bytes(
  type: i32,
  start: u32,
  size: u32,
  out: usize,
  outSize: usize,
): i32;
export declare function proxy_set_buffer_bytes(
  type: i32,
  start: u32,
  size: u32,
  value: usize,
  valueSize: usize,
): i32;
