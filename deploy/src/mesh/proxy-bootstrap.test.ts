// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { parseHostPort, proxyBootstrap } from "./proxy-bootstrap.ts";

test("asks for everything by delta ADS from the control plane's address", () => {
  const text = proxyBootstrap({ nodeId: "p1", admin: "[::1]:0", xds: "127.0.0.1:15010" });
  expect(JSON.parse(text)).toMatchObject({
    node: { id: "p1" },
    admin: { address: { socket_address: { address: "::1", port_value: 0 } } },
    dynamic_resources: { ads_config: { api_type: "DELTA_GRPC" } },
  });
  expect(text).toContain('"port_value": 15010');
});

test("refuses an address without a port and says how to write one", () => {
  expect(() => parseHostPort("127.0.0.1")).toThrow("127.0.0.1:15000");
});
