// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { copyBytes, type MemoryViews } from "../../wasm/copy-bytes.ts";

/** Copies without making a view where both stand at the same remainder by 4, as they nearly always do. */
export function copyPacket(
  to: MemoryViews,
  toAt: number,
  from: MemoryViews,
  fromAt: number,
  length: number,
): void {
  if (((toAt ^ fromAt) & 3) === 0) copyBytes(to, toAt, from, fromAt, length);
  else to.bytes.set(from.bytes.subarray(fromAt, fromAt + length), toAt);
}
