// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** What a user may put on disk before it is more likely a mistake or an attack than a mesh. */
export interface FileLimits {
  /** Bytes in one YAML file. */
  readonly maxFileBytes: number;
  /** Bytes in one WebAssembly module: a push of it must fit the 4 MiB that gRPC clients accept. */
  readonly maxModuleBytes: number;
  /** Resources in all files together. */
  readonly maxResources: number;
  /** How many nodes the aliases of one document may stand for. */
  readonly maxAliasCount: number;
}

/** The limits unless told otherwise. */
export const fileLimits: FileLimits = {
  maxFileBytes: 1024 * 1024,
  maxModuleBytes: 3 * 1024 * 1024,
  maxResources: 10_000,
  maxAliasCount: 100,
};
