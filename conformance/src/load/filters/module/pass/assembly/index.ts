// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Does nothing: what is left is what any filter costs.
import { Batch, Filter, PluginInfo, register } from "@msm/filter-sdk/assembly";

export * from "@msm/filter-sdk/assembly/abi";

class Pass extends Filter {
  describe(info: PluginInfo): void {
    info.window = 4;
  }

  onDatagrams(batch: Batch): void {}
}

register(new Pass());
