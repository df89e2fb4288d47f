// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readBootstrap } from "./bootstrap.ts";
import { BootstrapError } from "./bootstrap-error.ts";
import { bootstrapSource, parseBootstrapText } from "./bootstrap-source.ts";

const ADS = `
node: { id: proxy-1, cluster: edge }
admin: { address: { socket_address: { address: 127.0.0.1, port_value: 0 } } }
dynamic_resources:
  ads_config:
    api_type: DELTA_GRPC
    transport_api_version: V3
    grpc_services: [{ envoy_grpc: { cluster_name: xds } }]
  lds_config: { ads: {}, resource_api_version: V3 }
  cds_config: { ads: {}, resource_api_version: V3, initial_fetch_timeout: 20s }
static_resources:
  clusters:
    - name: xds
      type: STRICT_DNS
      typed_extension_protocol_options:
        envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
          "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
          explicit_http_config: { http2_protocol_options: {} }
      load_assignment:
        cluster_name: xds
        endpoints:
          - lb_endpoints:
              - endpoint: { address: { socket_address: { address: control-plane, port_value: 15010 } } }
    - name: viewer
      load_assignment: { cluster_name: viewer }
`;

const read = (text: string) => readBootstrap(parseBootstrapText(text, "bootstrap.yaml"));

/** `line:column code field` of each problem. */
function problemsOf(text: string): readonly string[] {
  try {
    read(text);
  } catch (error) {
    if (!(error instanceof BootstrapError)) throw error;
    return error.problems.map(({ error: { code, field }, position }) => {
      const place = position === undefined ? "" : `${position.line}:${position.column} `;
      return `${place}${code} ${field}`;
    });
  }
  return [];
}

describe("a bootstrap with a control plane", () => {
  test("tells where it is, what to ask, and how long to wait", () => {
    const { ads, node, adminAddress } = read(ADS);
    expect(ads).toEqual({
      variant: "delta",
      servers: [{ target: "dns:control-plane:15010" }],
      clusterNames: new Set(["xds"]),
      wildcards: new Set(["cluster", "listener"]),
      initialFetchTimeoutMs: 20_000,
    });
    expect(node.id).toBe("proxy-1");
    expect(adminAddress).toEqual({ address: "127.0.0.1", port: 0 });
  });

  test("leaves the control plane's cluster out of those that datagrams may go to", () => {
    const names = read(ADS).staticResources.flatMap(({ added }) => added.map(({ name }) => name));
    expect(names).toEqual(["viewer"]);
  });

  test("may name a target instead of a cluster, and be written in camel case", () => {
    const service = "[{ googleGrpc: { targetUri: '[::1]:15010', statPrefix: xds } }]";
    const text = ADS.replace("[{ envoy_grpc: { cluster_name: xds } }]", service).replaceAll(
      "ads_config",
      "adsConfig",
    );
    expect(read(text).ads).toMatchObject({ servers: [{ target: "[::1]:15010" }], clusterNames: new Set() });
  });

  test("takes the node from the command line where that has it", () => {
    const source = parseBootstrapText(ADS, "bootstrap.yaml");
    expect(readBootstrap(source, { id: "other" }).node).toMatchObject({ id: "other", cluster: "edge" });
  });
});

test("an empty bootstrap has the admin interface at 127.0.0.1:15000 and nothing else", () => {
  expect(read("")).toMatchObject({
    adminAddress: { address: "127.0.0.1", port: 15000 },
    ads: undefined,
    staticResources: [],
  });
});

test.each<[string, string, readonly string[]]>([
  ["is not YAML", "node: {\n", ["2:1 MSM_BOOTSTRAP_YAML file"]],
  ["is no mapping", "- 1\n", ["1:1 MSM_BOOTSTRAP_SHAPE file"]],
  ["has an unknown key", "node:\n  id: a\n  claster: b\n", ["3:3 MSM_BOOTSTRAP_SHAPE node.claster"]],
  [
    "has a wrong type",
    "admin:\n  address:\n    socket_address: { address: 1.2.3.4, port_value: many }\n",
    ["3:41 MSM_BOOTSTRAP_SHAPE admin.address.socket_address.port_value"],
  ],
  [
    "has an extension of an unknown type",
    "static_resources:\n  listeners:\n  - name: a\n    listener_filters:\n    - name: b\n      typed_config:\n        '@type': a/b\n",
    ["7:9 MSM_BOOTSTRAP_SHAPE static_resources.listeners[0].listener_filters[0].typed_config.@type"],
  ],
  [
    "breaks a rule of the API",
    "static_resources:\n  clusters:\n  - name: a\n    connectTimeout: 0s\n",
    ["4:5 MSM_CONFIG_INVALID static_resources.clusters[0].connect_timeout"],
  ],
  [
    "asks for more than is honoured",
    "admin:\n  profile_path: /x\n",
    ["2:3 MSM_CONFIG_UNSUPPORTED_FIELD admin.profile_path"],
  ],
  [
    "has a name twice",
    "static_resources:\n  clusters:\n  - name: a\n  - name: a\n",
    ["4:5 MSM_BOOTSTRAP_DUPLICATE_NAME static_resources.clusters[1].name"],
  ],
  [
    "names no cluster for its control plane",
    ADS.replace("name: xds\n", "name: other\n"),
    ["8:37 MSM_BOOTSTRAP_ADS_TARGET dynamic_resources.ads_config.grpc_services[0].envoy_grpc.cluster_name"],
  ],
  [
    "asks by polling",
    ADS.replace("DELTA_GRPC", "REST"),
    ["6:5 MSM_BOOTSTRAP_API_TYPE dynamic_resources.ads_config.api_type"],
  ],
  [
    "asks for nothing",
    ADS.replace(/ {2}[lc]ds_config.*\n/g, ""),
    ["5:3 MSM_BOOTSTRAP_SUBSCRIPTION dynamic_resources.ads_config"],
  ],
  ["has no node", ADS.replace(/node:.*\n/, ""), ["2:1 MSM_BOOTSTRAP_NODE node.id"]],
])("a bootstrap that %s is refused, with its line", (_, text, expected) => {
  expect(problemsOf(text)).toEqual(expected);
});

test("all problems are listed, each with file, line, code and field", () => {
  const text = "node:\n  idd: a\nadmin:\n  adress: {}\n";
  expect(() => read(text)).toThrow(
    /^bootstrap\.yaml:2:3: MSM_BOOTSTRAP_SHAPE: node\.idd: .*\nbootstrap\.yaml:4:3: MSM_BOOTSTRAP_SHAPE: admin\.adress: /,
  );
});

test("a file that is not there is named", () => {
  expect(() => bootstrapSource("/nowhere/bootstrap.yaml")).toThrow(
    /^\/nowhere\/bootstrap\.yaml: MSM_BOOTSTRAP_UNREADABLE: file: /,
  );
});

test("a file and an object that say the same are the same", () => {
  const path = join(mkdtempSync(join(tmpdir(), "msm-bootstrap-")), "bootstrap.yaml");
  writeFileSync(path, "node: { id: a }\n");
  const fromFile = readBootstrap(bootstrapSource(path));
  const fromObject = readBootstrap(bootstrapSource({ node: { id: "a" } }));
  expect(fromFile).toEqual(fromObject);
});

test("an alias bomb is refused instead of eating all memory", () => {
  const bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"];
  for (const [name, before] of ["ba", "cb", "dc", "ed", "fe", "gf"]) {
    bomb.push(`${name}: &${name} [${Array(9).fill(`*${before}`).join(", ")}]`);
  }
  expect(problemsOf(bomb.join("\n"))).toEqual(["MSM_BOOTSTRAP_YAML file"]);
});

test("a bootstrap that was damaged anywhere is read or refused, and nothing else", () => {
  fc.assert(
    fc.property(
      fc.nat({ max: ADS.length }),
      fc.nat({ max: 30 }),
      fc.string({ maxLength: 5 }),
      (at, cut, insert) => {
        problemsOf(ADS.slice(0, at) + insert + ADS.slice(at + cut));
      },
    ),
    { numRuns: 200 },
  );
});
