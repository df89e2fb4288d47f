// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// A network filter as Proxy-Wasm 0.2.1 has it, which knows nothing of datagrams nor of this project's SDK: it rewrites
// the SSRC of RTP, keeps what is not RTP until the next packet, empties what begins with "drop", and counts.
import {
  proxy_continue_stream,
  proxy_get_buffer_bytes,
  proxy_get_property,
  proxy_log,
  proxy_set_buffer_bytes,
} from "./env";

const DOWNSTREAM_DATA: i32 = 2;
const CONTINUE: i32 = 0;
const PAUSE: i32 = 1;
const INFO: i32 = 2;
const DROP: u32 = 0x706f7264;

const outAddress = memory.data(4, 4);
const outSize = memory.data(4, 4);
const newSsrc = memory.data<u8>([0xca, 0xfe, 0xba, 0xbe]);
const path = memory.data<u8>([
  0x73, 0x6f, 0x75, 0x72, 0x63, 0x65, 0, 0x61, 0x64, 0x64, 0x72, 0x65, 0x73, 0x73,
]);

export function proxy_abi_version_0_2_1(): void {}

// One datagram at a time: the same place for each, because this runtime gives no memory back.
const handedOver = memory.data(65536, 8);

export function proxy_on_memory_allocate(size: usize): usize {
  return handedOver;
}

export function proxy_on_context_create(context: u32, parent: u32): void {}

export function proxy_on_new_connection(context: u32): i32 {
  proxy_get_property(path, 14, outAddress, outSize);
  proxy_log(INFO, load<u32>(outAddress), load<u32>(outSize));
  return CONTINUE;
}

export function proxy_on_downstream_data(context: u32, size: u32, endOfStream: u32): i32 {
  proxy_get_buffer_bytes(DOWNSTREAM_DATA, 0, size, outAddress, outSize);
  const data = <usize>load<u32>(outAddress);
  if (size >= 4 && load<u32>(data) == DROP) {
    proxy_set_buffer_bytes(DOWNSTREAM_DATA, 0, size, 0, 0);
    return CONTINUE;
  }
  if (size < 12 || load<u8>(data) >> 6 != 2) return PAUSE;
  proxy_set_buffer_bytes(DOWNSTREAM_DATA, 8, 4, newSsrc, 4);
  proxy_continue_stream(DOWNSTREAM_DATA);
  return CONTINUE;
}
