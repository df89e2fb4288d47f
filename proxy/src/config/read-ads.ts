// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { durationMs } from "@msm/xds-protos";
import type {
  Bootstrap,
  Bootstrap_DynamicResources,
} from "@msm/xds-protos/envoy/config/bootstrap/v3/bootstrap_pb.js";
import { Bootstrap_DynamicResourcesSchema } from "@msm/xds-protos/envoy/config/bootstrap/v3/bootstrap_pb.js";
import {
  type ApiConfigSource,
  ApiConfigSource_ApiType,
  ApiConfigSourceSchema,
  ApiVersion,
  type ConfigSource,
} from "@msm/xds-protos/envoy/config/core/v3/config_source_pb.js";
import {
  type GrpcService,
  GrpcService_EnvoyGrpcSchema,
  GrpcService_GoogleGrpcSchema,
  GrpcServiceSchema,
} from "@msm/xds-protos/envoy/config/core/v3/grpc_service_pb.js";
import type { AdsServer } from "./ads-server.ts";
import { readAdsCluster } from "./read-ads-cluster.ts";
import { readGoogleTls } from "./read-ads-tls.ts";
import { checkConfigSource } from "./read-config-source.ts";
import { at, refuse, refuseOthers } from "./refuse.ts";
import type { ResourceType } from "./resource.ts";

/** How and what to ask a control plane. */
export interface AdsConfig {
  /** State of the world, or incremental. */
  readonly variant: "sotw" | "delta";
  /** In the order in which they are tried; at least one. */
  readonly servers: readonly AdsServer[];
  /** The static clusters that named them, which are no place to send datagrams to. */
  readonly clusterNames: ReadonlySet<string>;
  /** The types of which everything is wanted. */
  readonly wildcards: ReadonlySet<ResourceType>;
  /** How long to wait for the first answers before the proxy calls itself live; 0 means as long as it takes. */
  readonly initialFetchTimeoutMs: number;
}

/** Envoy's default for `initial_fetch_timeout`. */
const DEFAULT_FETCH_TIMEOUT_MS = 15_000;

/** Reads `dynamic_resources`; undefined where there is no control plane. Throws a `ConfigError`. */
export function readAds(bootstrap: Bootstrap): AdsConfig | undefined {
  const dynamic = bootstrap.dynamicResources;
  const path = "dynamic_resources";
  if (dynamic === undefined) return undefined;
  refuseOthers(Bootstrap_DynamicResourcesSchema, dynamic, path, {
    ads_config: "accepted",
    lds_config: "accepted",
    cds_config: "accepted",
  });
  const sources = subscriptions(dynamic);
  for (const { field, source } of sources) checkConfigSource(source, at(path, field));
  const adsPath = at(path, "ads_config");
  if (dynamic.adsConfig === undefined) {
    if (sources.length === 0) return undefined;
    refuse("MSM_BOOTSTRAP_SUBSCRIPTION", adsPath, "is needed; lds_config and cds_config refer to it");
  }
  if (sources.length === 0) {
    const problem =
      "asks for nothing; set lds_config and cds_config to { ads: {}, resource_api_version: V3 } beside it";
    refuse("MSM_BOOTSTRAP_SUBSCRIPTION", adsPath, problem);
  }
  const timeouts = sources.map(({ source }) => source.initialFetchTimeout);
  const timeoutsMs = timeouts.map((timeout) =>
    timeout === undefined ? DEFAULT_FETCH_TIMEOUT_MS : durationMs(timeout),
  );
  return {
    ...readServers(dynamic.adsConfig, adsPath, bootstrap),
    wildcards: new Set(sources.map(({ type }) => type)),
    initialFetchTimeoutMs: timeoutsMs.includes(0) ? 0 : Math.max(...timeoutsMs),
  };
}

interface WildcardSource {
  readonly field: string;
  readonly type: ResourceType;
  readonly source: ConfigSource;
}

function subscriptions({ cdsConfig, ldsConfig }: Bootstrap_DynamicResources): readonly WildcardSource[] {
  const sources: WildcardSource[] = [];
  if (cdsConfig !== undefined) sources.push({ field: "cds_config", type: "cluster", source: cdsConfig });
  if (ldsConfig !== undefined) sources.push({ field: "lds_config", type: "listener", source: ldsConfig });
  return sources;
}

const VARIANTS: ReadonlyMap<ApiConfigSource_ApiType, AdsConfig["variant"]> = new Map([
  [ApiConfigSource_ApiType.GRPC, "sotw"],
  [ApiConfigSource_ApiType.DELTA_GRPC, "delta"],
]);

function readServers(
  source: ApiConfigSource,
  path: string,
  bootstrap: Bootstrap,
): Pick<AdsConfig, "variant" | "servers" | "clusterNames"> {
  refuseOthers(ApiConfigSourceSchema, source, path, {
    api_type: "accepted",
    transport_api_version: "accepted",
    grpc_services: "accepted",
    // The node is in the first message alone, whatever this says: the protocol allows it.
    set_node_on_first_message_only: "accepted",
  });
  const variant = VARIANTS.get(source.apiType);
  if (variant === undefined) {
    refuse("MSM_BOOTSTRAP_API_TYPE", at(path, "api_type"), "must be DELTA_GRPC or GRPC");
  }
  if (source.transportApiVersion === ApiVersion.V2) {
    refuse("MSM_BOOTSTRAP_API_TYPE", at(path, "transport_api_version"), "must be V3");
  }
  const servicesPath = at(path, "grpc_services");
  if (source.grpcServices.length === 0) {
    refuse("MSM_BOOTSTRAP_ADS_TARGET", servicesPath, "must name at least one control plane");
  }
  const services = source.grpcServices.map((service, index) =>
    readService(service, `${servicesPath}[${index}]`, bootstrap),
  );
  return {
    variant,
    servers: services.map(({ server }) => server),
    clusterNames: new Set(services.flatMap(({ clusterName }) => clusterName ?? [])),
  };
}

interface Service {
  readonly server: AdsServer;
  /** The static cluster that it is reached by. */
  readonly clusterName?: string;
}

function readService(service: GrpcService, path: string, bootstrap: Bootstrap): Service {
  refuseOthers(GrpcServiceSchema, service, path, { envoy_grpc: "accepted", google_grpc: "accepted" });
  const specifier = service.targetSpecifier;
  if (specifier.case === "googleGrpc") {
    const googlePath = at(path, "google_grpc");
    refuseOthers(GrpcService_GoogleGrpcSchema, specifier.value, googlePath, {
      target_uri: "accepted",
      stat_prefix: "accepted",
      channel_credentials: "accepted",
    });
    const { targetUri, channelCredentials } = specifier.value;
    const tls = readGoogleTls(channelCredentials, at(googlePath, "channel_credentials"));
    return { server: { target: targetUri, ...(tls === undefined ? {} : { tls }) } };
  }
  const envoyPath = at(path, "envoy_grpc");
  if (specifier.case !== "envoyGrpc") refuse("MSM_BOOTSTRAP_ADS_TARGET", envoyPath, "is needed");
  refuseOthers(GrpcService_EnvoyGrpcSchema, specifier.value, envoyPath, { cluster_name: "accepted" });
  const { clusterName } = specifier.value;
  const clusters = bootstrap.staticResources?.clusters ?? [];
  const index = clusters.findIndex(({ name }) => name === clusterName);
  const cluster = clusters[index];
  if (cluster === undefined) {
    const problem = `"${clusterName}" is not among static_resources.clusters; add it there`;
    refuse("MSM_BOOTSTRAP_ADS_TARGET", at(envoyPath, "cluster_name"), problem);
  }
  return { server: readAdsCluster(cluster, `static_resources.clusters[${index}]`), clusterName };
}
