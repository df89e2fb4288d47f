// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { benchFilter } from "@msm/filter-sdk/testing";

const config = { bitsPerSecond: 1_000_000_000_000, burstMs: 10_000 };
for (const { what, nsPerDatagram } of await benchFilter("pace", config)) {
  console.log(`pace, ${what}: ${nsPerDatagram.toFixed(1)} ns per datagram`);
}
