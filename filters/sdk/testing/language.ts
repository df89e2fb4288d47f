// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** A language that filters may be written in. One is a file in `languages` that exports one as `language`. */
export interface Language {
  /** As `filter new --lang` has it. */
  readonly name: string;
  /** The file by which a filter's folder shows that it is in this language. */
  readonly source: string;
  /** What the compiled filter's name ends with: `.wasm`, or `.js` for a script. */
  readonly suffix: ".wasm" | ".js";
  /** What has to be installed, and how; null where everything is here. */
  missing(): Promise<string | null>;
  /** All that the result depends on: flags and versions, and files. */
  inputs(folder: string): Promise<{ readonly version: string; readonly files: readonly string[] }>;
  /** The bytes of the filter. Throws with the compiler's messages. */
  compile(folder: string): Promise<Uint8Array>;
}
