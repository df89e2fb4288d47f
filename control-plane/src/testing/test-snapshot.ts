// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { create, type DescMessage, type Message, typeUrls } from "@msm/xds-protos";
import { Cluster_DiscoveryType, ClusterSchema } from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { TypedExtensionConfigSchema } from "@msm/xds-protos/envoy/config/core/v3/extension_pb.js";
import { ClusterLoadAssignmentSchema } from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "@msm/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "@msm/xds-protos/envoy/config/route/v3/route_pb.js";
import { SecretSchema } from "@msm/xds-protos/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { createEntry } from "../snapshot/resource-entry.ts";
import { createSnapshot, type Snapshot } from "../snapshot/snapshot.ts";

/** Names of resources by type; a number behind `=` changes the content, one behind `~` lets it expire: `a=2~9000`. */
export interface SnapshotNames {
  readonly sds?: readonly string[];
  readonly cds?: readonly string[];
  readonly eds?: readonly string[];
  readonly lds?: readonly string[];
  readonly rds?: readonly string[];
  readonly ecds?: readonly string[];
}

/** Short names of the type URLs, for tests. */
export const types = {
  cds: typeUrls.cluster,
  eds: typeUrls.clusterLoadAssignment,
  lds: typeUrls.listener,
  rds: typeUrls.routeConfiguration,
  ecds: typeUrls.typedExtensionConfig,
  sds: typeUrls.secret,
} as const;

type Built = readonly [schema: DescMessage, message: Message];

const builders: Readonly<Record<keyof SnapshotNames, (name: string, content: number) => Built>> = {
  cds: (name, content) => {
    const clusterDiscoveryType = { case: "type", value: Cluster_DiscoveryType.EDS } as const;
    const eds = { edsClusterConfig: { serviceName: name }, altStatName: String(content) };
    return [ClusterSchema, create(ClusterSchema, { name, clusterDiscoveryType, ...eds })];
  },
  eds: (name, content) => {
    const fields = { clusterName: name, endpoints: content === 0 ? [] : [{ priority: content }] };
    return [ClusterLoadAssignmentSchema, create(ClusterLoadAssignmentSchema, fields)];
  },
  lds: (name, content) => [ListenerSchema, create(ListenerSchema, { name, statPrefix: String(content) })],
  rds: (name, content) => {
    const fields = { name, internalOnlyHeaders: [String(content)] };
    return [RouteConfigurationSchema, create(RouteConfigurationSchema, fields)];
  },
  ecds: (name, content) => {
    const typeUrl = "type.googleapis.com/google.protobuf.Empty";
    const typedConfig = { typeUrl, value: new Uint8Array(content) };
    return [TypedExtensionConfigSchema, create(TypedExtensionConfigSchema, { name, typedConfig })];
  },
  sds: (name, content) => {
    const inlineBytes = new TextEncoder().encode(`password ${content}`);
    const secret = { specifier: { case: "inlineBytes", value: inlineBytes } } as const;
    const type = { case: "genericSecret", value: { secret } } as const;
    return [SecretSchema, create(SecretSchema, { name, type })];
  },
};

/** Makes a snapshot: `snapshotOf({ cds: ["a", "b=2"] })`. */
export function snapshotOf(names: SnapshotNames, isComplete = true): Snapshot {
  const entries = Object.entries(names).flatMap(([type, list]: [string, readonly string[]]) =>
    list.map((text) => {
      const [, name = "", content = "1", ttl] = /^(.*?)(?:=(\d+))?(?:~(\d+))?$/.exec(text)!;
      const [schema, message] = builders[type as keyof SnapshotNames](name, Number(content));
      return createEntry(schema, name, message, ttl === undefined ? {} : { ttlMs: Number(ttl) });
    }),
  );
  return createSnapshot(entries, isComplete);
}
