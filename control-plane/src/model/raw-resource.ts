// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { FieldPath, Position, ResourceId } from "../refusal.ts";
import type { RefusalCode } from "../refusal-codes.ts";

/** A resource as a source read it: identified, located, not yet checked. */
export interface RawResource {
  readonly id: ResourceId;
  readonly apiVersion: string;
  readonly value: Readonly<Record<string, unknown>>;
  /** The file's path, or whatever names the place for a user. */
  readonly file: string;
  /** Where a field stands; for a missing one, the nearest object around it. */
  locate(path: FieldPath): Position;
  /** The module that a WasmFilter's `spec.file` names, read by the source. */
  readonly module?: ModuleFile;
}

/** A WebAssembly module file as it was found on disk. */
export type ModuleFile = LoadedModule | UnusableModule;

/** A valid module: its bytes, their SHA-256 in lower-case hexadecimal, and the names that it exports. */
export interface LoadedModule {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
  readonly exports: readonly string[];
  /** Set where the file is a filter in JavaScript, of which only the proxy sees what it exports. */
  readonly isScript?: true;
}

/** A module file that cannot be used, and why. */
export interface UnusableModule {
  readonly path: string;
  readonly code: RefusalCode;
  readonly problem: string;
}
