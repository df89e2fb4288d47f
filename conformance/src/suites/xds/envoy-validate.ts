// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freeUdpPorts } from "@msm/deploy";
import { meshYaml } from "../../mesh-yaml.ts";
import type { Scenario } from "../../runner/suite.ts";
import { startPlane } from "./control-plane.ts";
import { validateWithEnvoy, xdsCluster } from "./envoy.ts";

type Section = Readonly<Record<string, unknown>> & { readonly "@type": string };
interface Dump {
  readonly groups: Readonly<Record<string, { readonly configs: readonly Section[] }>>;
}

/** Of Backends beside those that have none: what balances, checks and ejects by Envoy's means, and what Envoy has not. */
const POLICIES = [
  {
    balancing: "Maglev",
    hashOn: { type: "SourceAddress" },
    outlierDetection: { errors: 5, responseSilence: "2s" },
  },
  { balancing: "LeastRequest", slowStart: "10s", healthCheck: { port: 8080 }, drainLinger: "30s" },
  { healthCheck: { type: "STUN" } },
];
const COUNT = 3 + POLICIES.length;

/** Envoy itself checks every resource that a stock Envoy would be served. */
export const envoyValidate: Scenario = {
  title: "Envoy --mode validate accepts every resource of the profile for stock Envoys",
  run: async (context) => {
    const ports = await freeUdpPorts(COUNT);
    const listeners = ports.map((port, index) => ({
      name: `l${index}`,
      port,
      isRtp: index === 0,
      endpoints: [{ address: "127.0.0.1", port: 9000 + index }],
      ...(index < 3 ? {} : { policy: POLICIES[index - 3]! }),
    }));
    const { json } = await startPlane(
      context,
      withSecondBackend(meshYaml({ address: "127.0.0.1", listeners })),
    );
    const { groups } = (await json("/debug/config_dump")) as Dump;
    const sections = groups["mesh-envoy"]!.configs;
    const found = {
      listeners: pick(sections, "Listeners", "dynamic_listeners").map(
        (item) => inner(item, "active_state").listener,
      ),
      clusters: pick(sections, "Clusters", "dynamic_active_clusters").map((item) => item.cluster),
      endpoints: pick(sections, "Endpoints", "dynamic_endpoint_configs").map((item) => item.endpoint_config),
    };
    assert.deepEqual(
      [found.listeners.length, found.clusters.length, found.endpoints.length],
      [COUNT, COUNT, COUNT],
      "resources in the dump",
    );
    const names = found.clusters.map((cluster) => (cluster as { readonly name: string }).name);
    assert.ok(
      names.some((name) => name.startsWith("route/")),
      `no cluster with weights among ${names.join(", ")}`,
    );
    const path = join(context.folder, "static.json");
    writeFileSync(path, JSON.stringify(staticBootstrap(found), null, 2));
    await validateWithEnvoy(context, path);
    context.note(`${Object.values(found).flat().length} resources`);
  },
};

/** Gives the last route the first one's backend as well, so that weights and localities are among the resources. */
function withSecondBackend(yaml: string): string {
  return yaml.replace(/^( +)- group: .*\n +kind: Backend\n +name: l2\n/m, (reference, indent: string) => {
    return `${reference}${indent}  weight: 3\n${reference.replace("l2", "l0")}`;
  });
}

function staticBootstrap({ listeners, clusters, endpoints }: Readonly<Record<string, readonly unknown[]>>) {
  const grpc = [{ envoy_grpc: { cluster_name: "xds" } }];
  // Endpoints have no place of their own in a file: each is the assignment of a static cluster.
  const assigned = endpoints!.map((assignment, index) => ({
    name: `assignment-${index}`,
    type: "STATIC",
    load_assignment: { ...bare(assignment), cluster_name: `assignment-${index}` },
  }));
  return {
    node: { id: "validate", cluster: "conformance" },
    dynamic_resources: { ads_config: { api_type: "GRPC", transport_api_version: "V3", grpc_services: grpc } },
    static_resources: {
      listeners: listeners!.map(bare),
      clusters: [xdsCluster("127.0.0.1:1"), ...clusters!.map(bare), ...assigned],
    },
  };
}

function pick(
  sections: readonly Section[],
  type: string,
  field: string,
): readonly Readonly<Record<string, unknown>>[] {
  const section = sections.find((each) => each["@type"].endsWith(`.${type}ConfigDump`));
  return (section?.[field] ?? []) as readonly Readonly<Record<string, unknown>>[];
}

function inner(item: Readonly<Record<string, unknown>>, field: string): Readonly<Record<string, unknown>> {
  return item[field] as Readonly<Record<string, unknown>>;
}

// In a file the type is known from the place.
function bare(resource: unknown): object {
  const { "@type": _type, ...rest } = resource as Section;
  return rest;
}
