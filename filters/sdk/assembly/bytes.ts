// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** The big-endian 16-bit number at `address`. */
export function loadU16(address: usize): u32 {
  return <u32>bswap<u16>(load<u16>(address));
}

/** The big-endian 32-bit number at `address`. */
export function loadU32(address: usize): u32 {
  return bswap<u32>(load<u32>(address));
}

/** Writes a big-endian 16-bit number. */
export function storeU16(address: usize, value: u32): void {
  store<u16>(address, bswap<u16>(<u16>value));
}

/** Writes a big-endian 32-bit number. */
export function storeU32(address: usize, value: u32): void {
  store<u32>(address, bswap<u32>(value));
}
