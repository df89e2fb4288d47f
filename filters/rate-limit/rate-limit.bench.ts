// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { benchFilter } from "@msm/filter-sdk/testing";

const config = { datagramsPerSecond: 4_000_000_000, bytesPerSecond: 4_000_000_000 };
for (const { what, nsPerDatagram } of await benchFilter("rate-limit", config)) {
  console.log(`rate-limit, ${what}: ${nsPerDatagram.toFixed(1)} ns per datagram`);
}
