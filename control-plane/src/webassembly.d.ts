// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// The part of the WebAssembly JavaScript API that this package uses: TypeScript has it only in its DOM and
// WebWorker libraries, whose browser globals have no place here.
declare namespace WebAssembly {
  interface ModuleExportDescriptor {
    readonly name: string;
    readonly kind: "function" | "table" | "memory" | "global" | "tag";
  }
  class Module {
    private constructor();
    static exports(module: Module): ModuleExportDescriptor[];
  }
  function compile(bytes: Uint8Array): Promise<Module>;
}
