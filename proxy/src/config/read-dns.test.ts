// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from "@msm/xds-protos";
import { expect, test } from "vitest";
import { read, refusal } from "./testdata/read.ts";
import { edsClusterJson, staticClusterJson, udpAddress } from "./testdata/resources.ts";

const endpoint = (name: string) => ({ endpoint: { address: udpAddress(5004, name) } });
const CARES = "type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig";

function dnsCluster(changes: JsonObject = {}, names: readonly string[] = ["cams.example.com"]): JsonObject {
  const load_assignment = { cluster_name: "a", endpoints: [{ lb_endpoints: names.map(endpoint) }] };
  return staticClusterJson("a", 1, { type: "STRICT_DNS", load_assignment, ...changes });
}

test("names are looked up every 5 s unless the cluster says otherwise, as in Envoy", async () => {
  expect((await read("cluster", "a", dnsCluster())).endpoints).toMatchObject({
    kind: "dns",
    plan: {
      ...{ kind: "STRICT", family: "AUTO", refreshMs: 5000, isTtlRespected: false, servers: [] },
      ...{ failureBaseMs: 5000, failureMaxMs: 5000 },
      endpoints: [{ address: "cams.example.com", port: 5004 }],
    },
  });
});

test("how names are looked up is taken over field by field", async () => {
  const cluster = dnsCluster({
    ...{
      type: "LOGICAL_DNS",
      dns_lookup_family: "V4_PREFERRED",
      dns_refresh_rate: "9s",
      respect_dns_ttl: true,
    },
    dns_failure_refresh_rate: { base_interval: "1s", max_interval: "30s" },
    typed_dns_resolver_config: {
      name: "envoy.network.dns_resolver.cares",
      typed_config: {
        "@type": CARES,
        resolvers: [udpAddress(53, "192.0.2.53"), udpAddress(53, "2001:db8::53")],
      },
    },
  });
  expect((await read("cluster", "a", cluster)).endpoints).toMatchObject({
    plan: {
      ...{ kind: "LOGICAL", family: "V4_PREFERRED", refreshMs: 9000, isTtlRespected: true },
      ...{ failureBaseMs: 1000, failureMaxMs: 30_000, servers: ["192.0.2.53:53", "[2001:db8::53]:53"] },
    },
  });
});

test("addresses may stand among names, and the back-off grows tenfold unless it says how far", async () => {
  const cluster = dnsCluster({ dns_failure_refresh_rate: { base_interval: "2s" } }, [
    "192.0.2.1",
    "cams",
    "a_b.c.",
  ]);
  expect((await read("cluster", "a", cluster)).endpoints).toMatchObject({
    plan: { failureMaxMs: 20_000, endpoints: [{ address: "192.0.2.1" }, { address: "cams" }, {}] },
  });
});

const twoNames = { endpoints: [{ lb_endpoints: [endpoint("a"), endpoint("b")] }], cluster_name: "a" };

test.each<[string, JsonObject, string]>([
  ["no endpoints", { load_assignment: null }, "MSM_CONFIG_MISSING load_assignment"],
  [
    "two endpoints, but LOGICAL_DNS",
    { type: "LOGICAL_DNS", load_assignment: twoNames },
    "MSM_CLUSTER_DNS load_assignment",
  ],
  [
    "a back-off that shrinks",
    { dns_failure_refresh_rate: { base_interval: "2s", max_interval: "1s" } },
    "MSM_CLUSTER_DNS dns_failure_refresh_rate.max_interval",
  ],
  ["TCP lookups", { use_tcp_for_dns_lookups: true }, "MSM_CONFIG_UNSUPPORTED_VALUE use_tcp_for_dns_lookups"],
  [
    "an EDS source beside it",
    { eds_cluster_config: { eds_config: { ads: {}, resource_api_version: "V3" } } },
    "MSM_CONFIG_UNSUPPORTED_FIELD eds_cluster_config",
  ],
])("a cluster with %s is refused", async (_, changes, expected) => {
  expect(await refusal("cluster", "a", dnsCluster(changes))).toBe(expected);
});

test.each(["", "a..b", "-a", "256.1.1.1", "a b", "a/b"])("%j is no name", async (name) => {
  const field = "load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.address";
  expect(await refusal("cluster", "a", dnsCluster({}, [name]))).toContain(field);
});

test.each<[string, JsonObject]>([
  ["dns_refresh_rate", { dns_refresh_rate: "5s" }],
  ["respect_dns_ttl", { respect_dns_ttl: true }],
])("%s without names is refused", async (field, changes) => {
  expect(await refusal("cluster", "a", edsClusterJson("a", changes))).toBe(`MSM_CLUSTER_DNS ${field}`);
  expect(await refusal("cluster", "a", staticClusterJson("a", 1, changes))).toBe(`MSM_CLUSTER_DNS ${field}`);
});
