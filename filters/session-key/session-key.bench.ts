// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { benchFilter } from "@msm/filter-sdk/testing";

for (const { what, nsPerDatagram } of await benchFilter("session-key", { offset: 1, length: 8 })) {
  console.log(`session-key, ${what}: ${nsPerDatagram.toFixed(1)} ns per datagram`);
}
