// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

const FUNCTION = 0;
const MEMORY = 2;

/** By name, the exports that make a module a filter, with the number of their function. */
const EXPORTS = [
  ["memory", MEMORY, 0],
  ["proxy_abi_version_0_2_1", FUNCTION, 0],
  ["msm_abi_version_0_1_0", FUNCTION, 0],
  ["msm_on_datagrams", FUNCTION, 1],
  ["malloc", FUNCTION, 2],
] as const;

/**
 * A filter whose start section never comes back: no compiler of the SDK makes one, so its sections are written here
 * (WebAssembly core specification, section 5.5). Every number in it is below 128 and takes one byte.
 */
export function loopingModule(): Uint8Array {
  const exported = EXPORTS.map(([name, kind, index]) => [name.length, ...Buffer.from(name), kind, index]);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    // Types: () -> (), (i32, i32) -> i32, (i32) -> i32.
    ...section(1, [3, 0x60, 0, 0, 0x60, 2, 0x7f, 0x7f, 1, 0x7f, 0x60, 1, 0x7f, 1, 0x7f]),
    ...section(3, [3, 0, 1, 2]),
    ...section(5, [1, 0, 1]),
    ...section(7, [exported.length, ...exported.flat()]),
    ...section(8, [0]),
    // loop br 0 end; i32.const 0; i32.const 64.
    ...section(
      10,
      [3, 7, 0, 0x03, 0x40, 0x0c, 0, 0x0b, 0x0b, 4, 0, 0x41, 0, 0x0b, 5, 0, 0x41, 0xc0, 0, 0x0b],
    ),
  ]);
}

function section(id: number, content: readonly number[]): readonly number[] {
  const { length } = content;
  return length < 128 ? [id, length, ...content] : [id, (length & 127) | 128, length >> 7, ...content];
}
