// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { clock_time_get } from "./wasi_snapshot_preview1";

const MONOTONIC: i32 = 1;
const NS_PER_MS: u64 = 1_000_000;
const outTime = memory.data(8, 8);

/** Milliseconds on a clock that nobody sets. It stands still during a call. */
export function monotonicMs(): i64 {
  clock_time_get(MONOTONIC, 0, outTime);
  return <i64>(load<u64>(outTime) / NS_PER_MS);
}
