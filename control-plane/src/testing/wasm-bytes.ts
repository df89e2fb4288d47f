// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/**
 * A minimal WebAssembly module that exports empty functions with these names: type, function, export and code
 * sections (WebAssembly core specification, section 5.5). At most 127 bytes of names.
 */
export function wasmBytes(exports: readonly string[]): Uint8Array {
  const names = exports.map((name) => [...Buffer.from(name)]);
  const section = (id: number, items: readonly (readonly number[])[]): number[] => {
    const body = [items.length, ...items.flat()];
    return [id, body.length, ...body];
  };
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [[0x60, 0x00, 0x00]]),
    ...section(3, [[0x00]]),
    ...section(
      7,
      names.map((name) => [name.length, ...name, 0x00, 0x00]),
    ),
    ...section(10, [[0x02, 0x00, 0x0b]]),
  ]);
}

/** The exports by which a filter says that it fits this release. */
export const abiExports = ["proxy_abi_version_0_2_1", "msm_abi_version_0_1_0"];
