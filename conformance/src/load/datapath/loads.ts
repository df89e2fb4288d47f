// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Load } from "../offer-load.ts";

/** Media datagrams of eight flows, one after the other. */
export const ordinary: Load = {
  packetsPerSecond: 150_000,
  bytes: 1316,
  flows: 8,
  burst: 1,
  segmented: false,
  seconds: 4,
};

/** The same in segmented runs of 32, which the kernel keeps together. */
export const runs: Load = { ...ordinary, packetsPerSecond: 600_000, burst: 32, segmented: true };

/** A thousand calls. */
export const audio: Load = { ...ordinary, packetsPerSecond: 50_000, bytes: 172, flows: 1_000 };

/** A hundred thousand clients, of which each port of the generator is a thousand, by as many addresses. */
export const clients: Load = { ...audio, flows: 100_000, sources: 1_000, firstPort: 10_000 };

/** One source, in bursts as cameras send pictures, and fifty receivers: 150,000 copies a second. */
export const pictures: Load = {
  packetsPerSecond: 3_000,
  bytes: 1316,
  flows: 1,
  burst: 16,
  segmented: true,
  seconds: 6,
  copies: 50,
};
