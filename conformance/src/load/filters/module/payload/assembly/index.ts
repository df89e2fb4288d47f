// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Turns round every bit of every payload: the whole datagram is copied in and out.
import { Batch, Filter, register } from "@msm/filter-sdk/assembly";

export * from "@msm/filter-sdk/assembly/abi";

class Payload extends Filter {
  onDatagrams(batch: Batch): void {
    for (let i: u32 = 0; i < batch.count; i++) {
      const datagram = batch.at(i);
      const end = datagram.data + datagram.avail;
      // Slots are longer than what they hold: the last word may reach beyond the payload.
      for (let at: usize = datagram.data; at < end; at += 8) store<u64>(at, ~load<u64>(at));
      datagram.markDirty();
    }
  }
}

register(new Payload());
