// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { benchFilter } from "@msm/filter-sdk/testing";

for (const { what, nsPerDatagram } of await benchFilter("capture")) {
  console.log(`capture, ${what}: ${nsPerDatagram.toFixed(1)} ns per datagram`);
}
