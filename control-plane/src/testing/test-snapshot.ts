// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { create, typeUrls } from "@msm/xds-protos";
import { ClusterSchema } from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { TypedExtensionConfigSchema } from "@msm/xds-protos/envoy/config/core/v3/extension_pb.js";
import { ClusterLoadAssignmentSchema } from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "@msm/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "@msm/xds-protos/envoy/config/route/v3/route_pb.js";
import { createEntry, type ResourceEntry } from "../snapshot/resource-entry.ts";
import { createSnapshot, type Snapshot } from "../snapshot/snapshot.ts";
import { translateCluster } from "../translate/cluster.ts";
import { translateEndpoints } from "../translate/cluster-load-assignment.ts";

/** Names of resources by type; a number behind `=` changes the content, `a=2`. */
export interface SnapshotNames {
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
} as const;

const builders: Readonly<Record<keyof SnapshotNames, (name: string, content: number) => ResourceEntry>> = {
  cds: (name, content) => {
    const cluster = { ...translateCluster(name), altStatName: String(content) };
    return createEntry(ClusterSchema, name, cluster, []);
  },
  eds: (name, content) => {
    const endpoints = [{ address: "127.0.0.1", port: content, isDraining: false }];
    return createEntry(ClusterLoadAssignmentSchema, name, translateEndpoints(name, endpoints), []);
  },
  lds: (name, content) =>
    createEntry(ListenerSchema, name, create(ListenerSchema, { name, statPrefix: String(content) }), []),
  rds: (name, content) => {
    const route = create(RouteConfigurationSchema, { name, internalOnlyHeaders: [String(content)] });
    return createEntry(RouteConfigurationSchema, name, route, []);
  },
  ecds: (name, content) => {
    const typedConfig = {
      typeUrl: "type.googleapis.com/google.protobuf.Empty",
      value: new Uint8Array(content),
    };
    const filter = create(TypedExtensionConfigSchema, { name, typedConfig });
    return createEntry(TypedExtensionConfigSchema, name, filter, []);
  },
};

/** Makes a snapshot: `snapshotOf({ cds: ["a", "b=2"] })`. */
export function snapshotOf(names: SnapshotNames, isComplete = true): Snapshot {
  const entries = Object.entries(names).flatMap(([type, list]: [string, readonly string[]]) =>
    list.map((text) => {
      const [name = "", content = "1"] = text.split("=");
      return builders[type as keyof SnapshotNames](name, Number(content));
    }),
  );
  return createSnapshot(entries, isComplete);
}
