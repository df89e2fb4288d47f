// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { clustersTable, type ProxyEndpoint } from "./clusters-table.ts";

function endpoint(port: number, changes: Partial<ProxyEndpoint> = {}): ProxyEndpoint {
  return {
    address: { socket_address: { address: "10.0.0.1", port_value: port } },
    weight: 1,
    health_status: { eds_health_status: "HEALTHY" },
    stats: [
      { name: "cx_active", value: "12" },
      { name: "cx_connect_fail" },
      { name: "cx_total", value: "1200" },
    ],
    ...changes,
  };
}

test("shows the endpoints of each cluster with their sessions, and of those that are not well who says so", () => {
  const v6 = { socket_address: { address: "2001:db8::1", port_value: 5004 } };
  const table = clustersTable({
    cluster_statuses: [
      {
        name: "cams",
        host_statuses: [
          endpoint(5004, { hostname: "cams.example.com", weight: 90 }),
          endpoint(5006, {
            health_status: { eds_health_status: "HEALTHY", failed_active_health_check: true },
          }),
          endpoint(5008, { health_status: { failed_outlier_check: true } }),
          endpoint(0, { address: v6, priority: 1, health_status: { eds_health_status: "DRAINING" } }),
        ],
      },
      { name: "empty" },
    ],
  });
  expect(table).toMatchInlineSnapshot(`
    [
      "CLUSTER  ENDPOINT                          HEALTH     WHY            WEIGHT  PRIORITY  SESSIONS  TOTAL  ERRORS",
      "cams     10.0.0.1:5004 (cams.example.com)  healthy                       90         0        12   1200       0",
      "         10.0.0.1:5006                     unhealthy  active check        1         0        12   1200       0",
      "         10.0.0.1:5008                     unhealthy  outlier             1         0        12   1200       0",
      "         [2001:db8::1]:5004                draining   configuration       1         1        12   1200       0",
      "empty    (none)",
    ]
  `);
});

test("is its headings alone where there is no cluster", () => {
  expect(clustersTable({})).toHaveLength(1);
});
