// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** `/clusters?format=json` of a proxy, as far as the table shows it: Envoy's `admin.v3.Clusters` as JSON. */
export interface ProxyClusters {
  readonly cluster_statuses?: readonly ProxyCluster[];
}

/** A cluster of it. */
export interface ProxyCluster {
  readonly name: string;
  readonly host_statuses?: readonly ProxyEndpoint[];
}

/** An endpoint of it. What is 0, false or empty is left out. */
export interface ProxyEndpoint {
  readonly address: { readonly socket_address: { readonly address: string; readonly port_value: number } };
  readonly hostname?: string;
  readonly weight?: number;
  readonly priority?: number;
  readonly stats?: readonly { readonly name: string; readonly value?: string }[];
  readonly health_status?: {
    readonly eds_health_status?: string;
    readonly failed_active_health_check?: boolean;
    readonly failed_outlier_check?: boolean;
  };
}

const HEADINGS = [
  "CLUSTER",
  "ENDPOINT",
  "HEALTH",
  "WHY",
  "WEIGHT",
  "PRIORITY",
  "SESSIONS",
  "TOTAL",
  "ERRORS",
];
const NUMBERS_FROM = 4;

/** Renders each endpoint of each cluster: its health and who says so, its weight and priority, and its sessions. */
export function clustersTable({ cluster_statuses: clusters = [] }: ProxyClusters): readonly string[] {
  const rows = clusters.flatMap(({ name, host_statuses: endpoints = [] }) =>
    endpoints.length === 0
      ? [[name, "(none)", "", "", "", "", "", "", ""]]
      : endpoints.map((endpoint, index) => [index === 0 ? name : "", ...cells(endpoint)]),
  );
  const all = [HEADINGS, ...rows];
  const widths = HEADINGS.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  return all.map((row) =>
    row
      .map((cell, column) =>
        column < NUMBERS_FROM ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join("  ")
      .trimEnd(),
  );
}

function cells(endpoint: ProxyEndpoint): readonly string[] {
  const { address, port_value: port } = endpoint.address.socket_address;
  const host = address.includes(":") ? `[${address}]` : address;
  const name = endpoint.hostname ? ` (${endpoint.hostname})` : "";
  const stat = (wanted: string) => endpoint.stats?.find((found) => found.name === wanted)?.value ?? "0";
  return [
    `${host}:${port}${name}`,
    ...health(endpoint.health_status ?? {}),
    String(endpoint.weight ?? 0),
    String(endpoint.priority ?? 0),
    stat("cx_active"),
    stat("cx_total"),
    stat("cx_connect_fail"),
  ];
}

/** Checks and errors make an endpoint worse than EDS says, so they are named first. */
function health(status: NonNullable<ProxyEndpoint["health_status"]>): readonly [string, string] {
  if (status.failed_active_health_check) return ["unhealthy", "active check"];
  if (status.failed_outlier_check) return ["unhealthy", "outlier"];
  const said = (status.eds_health_status ?? "UNKNOWN").toLowerCase();
  return said === "healthy" || said === "unknown" ? ["healthy", ""] : [said, "configuration"];
}
