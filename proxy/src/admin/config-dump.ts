// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type Any, create, isMessage, packAny, timestampFromDate, unpackAny } from "@msm/xds-protos";
import {
  BootstrapConfigDumpSchema,
  SecretsConfigDumpSchema,
} from "@msm/xds-protos/envoy/admin/v3/config_dump_pb.js";
import {
  ClientResourceStatus,
  ClustersConfigDumpSchema,
  EcdsConfigDumpSchema,
  EndpointsConfigDumpSchema,
  ListenersConfigDumpSchema,
  RoutesConfigDumpSchema,
} from "@msm/xds-protos/envoy/admin/v3/config_dump_shared_pb.js";
import { BootstrapSchema } from "@msm/xds-protos/envoy/config/bootstrap/v3/bootstrap_pb.js";
import { ClusterSchema } from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { TypedExtensionConfigSchema } from "@msm/xds-protos/envoy/config/core/v3/extension_pb.js";
import { ClusterLoadAssignmentSchema } from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import { RouteConfigurationSchema } from "@msm/xds-protos/envoy/config/route/v3/route_pb.js";
import { SecretSchema } from "@msm/xds-protos/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { elideCode } from "../config/elide-code.ts";
import type { ClusterConfig } from "../config/read-cluster.ts";
import type { Accepted, Refused } from "../config/resource.ts";
import type { ResourceTable } from "../config/resource-table.ts";
import { redactSecrets } from "../config/tls/redact-secrets.ts";
import { renderable } from "./proto-json.ts";
import type { AdminContext } from "./route.ts";

type DumpContext = Pick<AdminContext, "bootstrap" | "startedAt" | "store">;

/** The sections of `/config_dump`, in Envoy's order. Endpoints only where asked for. */
export function configDumpSections(context: DumpContext, includeEndpoints: boolean): readonly Any[] {
  return [
    bootstrapSection(context),
    clustersSection(context),
    filtersSection(context),
    ...(includeEndpoints ? [endpointsSection(context)] : []),
    listenersSection(context),
    routesSection(context),
    // Also where there are none; istioctl takes the want of the section for a fault.
    secretsSection(context),
  ];
}

function bootstrapSection({ bootstrap, startedAt }: DumpContext): Any {
  const elided = unpackAny(redactSecrets(elideCode(packAny(BootstrapSchema, bootstrap.message))));
  const dump = create(BootstrapConfigDumpSchema, {
    bootstrap: isMessage(elided, BootstrapSchema) ? elided : undefined,
    lastUpdated: timestampFromDate(startedAt),
  });
  return packAny(BootstrapConfigDumpSchema, dump);
}

function clustersSection({ store: { tables } }: DumpContext): Any {
  const entries = entriesOf(tables.cluster);
  const isReady = ({ accepted }: Entry<ClusterConfig>): boolean => {
    const endpoints = accepted?.value.endpoints;
    if (endpoints?.kind !== "eds") return endpoints !== undefined;
    return tables.clusterLoadAssignment.get(endpoints.serviceName) !== undefined;
  };
  const toDynamic = (entry: Entry<ClusterConfig>) => ({
    ...dynamicFields(entry),
    cluster: bodyOf(entry) ?? packAny(ClusterSchema, create(ClusterSchema, { name: entry.name })),
  });
  const dynamic = entries.filter(({ accepted }) => !accepted?.isStatic);
  const dump = create(ClustersConfigDumpSchema, {
    staticClusters: entries
      .filter(({ accepted }) => accepted?.isStatic)
      .map((entry) => ({ cluster: bodyOf(entry), lastUpdated: updatedAt(entry) })),
    dynamicActiveClusters: dynamic.filter(isReady).map(toDynamic),
    dynamicWarmingClusters: dynamic.filter((entry) => !isReady(entry)).map(toDynamic),
  });
  return packAny(ClustersConfigDumpSchema, dump);
}

function listenersSection({ store: { tables, built } }: DumpContext): Any {
  const entries = entriesOf(tables.listener);
  const dynamic = entries.filter(({ accepted }) => !accepted?.isStatic);
  const dump = create(ListenersConfigDumpSchema, {
    staticListeners: entries
      .filter(({ accepted }) => accepted?.isStatic)
      .map((entry) => ({ listener: bodyOf(entry), lastUpdated: updatedAt(entry) })),
    dynamicListeners: dynamic.map((entry) => ({
      name: entry.name,
      activeState: listenerState(built.active.get(entry.name)?.resource),
      warmingState: built.warming.has(entry.name) ? listenerState(entry.accepted) : undefined,
      errorState: errorState(entry.refused),
      clientStatus: statusOf(entry),
    })),
  });
  return packAny(ListenersConfigDumpSchema, dump);
}

function listenerState(resource: Accepted<unknown> | undefined) {
  if (resource === undefined) return undefined;
  return {
    versionInfo: resource.version,
    listener: renderable(resource.body),
    lastUpdated: timestampFromDate(resource.updatedAt),
  };
}

function routesSection({ store: { tables } }: DumpContext): Any {
  const dump = create(RoutesConfigDumpSchema, {
    dynamicRouteConfigs: entriesOf(tables.routeConfiguration).map((entry) => {
      const named = create(RouteConfigurationSchema, { name: entry.name });
      const routeConfig = bodyOf(entry) ?? packAny(RouteConfigurationSchema, named);
      return { ...dynamicFields(entry), routeConfig };
    }),
  });
  return packAny(RoutesConfigDumpSchema, dump);
}

function endpointsSection({ store: { tables } }: DumpContext): Any {
  const inClusters = tables.cluster.accepted().map(({ body }) => unpackAny(body));
  const dump = create(EndpointsConfigDumpSchema, {
    staticEndpointConfigs: inClusters
      .flatMap((cluster) => (isMessage(cluster, ClusterSchema) ? (cluster.loadAssignment ?? []) : []))
      .map((assignment) => ({
        endpointConfig: renderable(packAny(ClusterLoadAssignmentSchema, assignment)),
      })),
    dynamicEndpointConfigs: entriesOf(tables.clusterLoadAssignment).map((entry) => {
      const named = create(ClusterLoadAssignmentSchema, { clusterName: entry.name });
      const endpointConfig = bodyOf(entry) ?? packAny(ClusterLoadAssignmentSchema, named);
      return { ...dynamicFields(entry), endpointConfig };
    }),
  });
  return packAny(EndpointsConfigDumpSchema, dump);
}

function filtersSection({ store: { tables } }: DumpContext): Any {
  const dump = create(EcdsConfigDumpSchema, {
    ecdsFilters: entriesOf(tables.typedExtensionConfig).map((entry) => {
      const named = create(TypedExtensionConfigSchema, { name: entry.name });
      const ecdsFilter = bodyOf(entry) ?? packAny(TypedExtensionConfigSchema, named);
      return { ...dynamicFields(entry), ecdsFilter };
    }),
  });
  return packAny(EcdsConfigDumpSchema, dump);
}

/** Private keys were redacted when the secrets came. One that is waited for shows under its name. */
function secretsSection({ store }: DumpContext): Any {
  const entries = entriesOf(store.tables.secret);
  const toDynamic = (entry: Entry<unknown>) => {
    const named = packAny(SecretSchema, create(SecretSchema, { name: entry.name }));
    return { name: entry.name, ...dynamicFields(entry), secret: bodyOf(entry) ?? named };
  };
  const known = new Set(entries.map(({ name }) => name));
  const waited = [...store.secretNames()].filter((name) => !known.has(name));
  const none = { accepted: undefined, refused: undefined };
  const dump = create(SecretsConfigDumpSchema, {
    dynamicActiveSecrets: entries.filter(({ accepted }) => accepted !== undefined).map(toDynamic),
    dynamicWarmingSecrets: [
      ...entries.filter(({ accepted }) => accepted === undefined).map(toDynamic),
      ...waited.map((name) => ({
        ...toDynamic({ name, ...none }),
        clientStatus: ClientResourceStatus.REQUESTED,
      })),
    ],
  });
  return packAny(SecretsConfigDumpSchema, dump);
}

/** Both forms of a resource: the accepted one, and the one that was refused after it. */
interface Entry<T> {
  readonly name: string;
  readonly accepted: Accepted<T> | undefined;
  readonly refused: Refused | undefined;
}

function entriesOf<T>(table: ResourceTable<T>): readonly Entry<T>[] {
  return table.names().map((name) => ({ name, accepted: table.get(name), refused: table.refusalOf(name) }));
}

function bodyOf({ accepted }: Entry<unknown>): Any | undefined {
  return accepted === undefined ? undefined : renderable(accepted.body);
}

function updatedAt({ accepted }: Entry<unknown>) {
  return accepted === undefined ? undefined : timestampFromDate(accepted.updatedAt);
}

function dynamicFields(entry: Entry<unknown>) {
  return {
    versionInfo: entry.accepted?.version ?? "",
    lastUpdated: updatedAt(entry),
    errorState: errorState(entry.refused),
    clientStatus: statusOf(entry),
  };
}

function statusOf({ refused }: Entry<unknown>): ClientResourceStatus {
  return refused === undefined ? ClientResourceStatus.ACKED : ClientResourceStatus.NACKED;
}

function errorState(refused: Refused | undefined) {
  if (refused === undefined) return undefined;
  return {
    failedConfiguration: renderable(refused.body),
    lastUpdateAttempt: timestampFromDate(refused.attemptedAt),
    details: refused.error.message,
    versionInfo: refused.version,
  };
}
