// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Adds a copy of each datagram to its session, in the same direction: what adding costs.
import { Batch, Filter, PluginInfo, register } from "@msm/filter-sdk/assembly";

export * from "@msm/filter-sdk/assembly/abi";

class EmitCopy extends Filter {
  describe(info: PluginInfo): void {
    info.emitCapacity = 64;
  }

  onDatagrams(batch: Batch): void {
    for (let i: u32 = 0; i < batch.count && batch.hasRoom; i++) {
      const datagram = batch.at(i);
      const copy = batch.add(datagram.session, datagram.direction == 1);
      memory.copy(copy.data, datagram.data, datagram.avail);
      copy.len = datagram.avail;
    }
  }
}

register(new EmitCopy());
