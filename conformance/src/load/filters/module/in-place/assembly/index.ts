// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Adds 1 to the SSRC of RTP where it lies: a filter that works in the ring's own memory, with nothing copied. The proxy
// runs none so: each filter has memory of its own.
import { Batch, loadU32, storeU32 } from "@msm/filter-sdk/assembly";

const HEADER_BYTES: u16 = 12;
const SSRC: usize = 8;

export function run(address: usize): void {
  const batch = changetype<Batch>(address);
  for (let i: u32 = 0; i < batch.count; i++) {
    const datagram = batch.at(i);
    if (datagram.len < HEADER_BYTES || load<u8>(datagram.data) >> 6 != 2) continue;
    storeU32(datagram.data + SSRC, loadU32(datagram.data + SSRC) + 1);
    datagram.markDirty();
  }
}
