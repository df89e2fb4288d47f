// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Inverts each byte of RTP behind the fixed header: what a filter costs that rewrites whole payloads.
import { Batch, Filter, RTP_HEADER_BYTES, register } from "@msm/filter-sdk/assembly";

export * from "@msm/filter-sdk/assembly/abi";

class XorPayload extends Filter {
  onDatagrams(batch: Batch): void {
    for (let i: u32 = 0; i < batch.count; i++) {
      const datagram = batch.at(i);
      const end = <usize>datagram.data + datagram.avail;
      let at = <usize>datagram.data + RTP_HEADER_BYTES;
      for (; at + 8 <= end; at += 8) store<u64>(at, ~load<u64>(at));
      for (; at < end; at++) store<u8>(at, ~load<u8>(at));
      datagram.markDirty();
    }
  }
}

register(new XorPayload());
