// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { random_get } from "./wasi_snapshot_preview1";

const HEXADECIMAL = "0123456789abcdef";
const MAX_BYTES = 32;
const random = memory.data(MAX_BYTES, 8);

/** So many unguessable bytes, at most 32, as lower-case hexadecimal. */
export function randomHex(bytes: i32): string {
  if (bytes > MAX_BYTES || random_get(random, bytes) != 0) unreachable();
  let text = "";
  for (let i = 0; i < bytes; i++) {
    const byte = <i32>load<u8>(random + i);
    text += HEXADECIMAL.charAt(byte >> 4) + HEXADECIMAL.charAt(byte & 15);
  }
  return text;
}
