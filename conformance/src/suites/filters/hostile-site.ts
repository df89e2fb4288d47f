// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { createEntry, type ResourceEntry } from "@msm/control-plane/xds";
import { type Child, ProxyAdmin, until } from "@msm/deploy";
import { type DescMessage, fromJson, type JsonValue, registry } from "@msm/xds-protos";
import { ClusterSchema } from "@msm/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { TypedExtensionConfigSchema } from "@msm/xds-protos/envoy/config/core/v3/extension_pb.js";
import { ListenerSchema } from "@msm/xds-protos/envoy/config/listener/v3/listener_pb.js";
import type { ScenarioContext } from "../../runner/suite.ts";
import { EchoEndpoint } from "../../traffic/echo-endpoint.ts";
import { type LibraryServer, startLibraryServer } from "../xds/library-server.ts";
import { startProxyOf } from "./start-proxy-of.ts";

const ADDRESS = "127.0.0.1";
const TYPE = "type.googleapis.com/envoy.extensions";
const UDP_PROXY = `${TYPE}.filters.udp.udp_proxy.v3`;
const FILTER = "under-test";

/** What is pushed as the filter. */
export interface PushedFilter {
  readonly module: Uint8Array;
  readonly deed: string;
}

/**
 * A proxy whose control plane is an xDS server made with the library: one listener's filter comes by ECDS and is exchanged
 * at will, the other has none. Both echo.
 */
export class HostileSite {
  readonly admin: ProxyAdmin;
  readonly proxy: Child;
  readonly #plane: LibraryServer;
  readonly #base: readonly ResourceEntry[];

  private constructor(plane: LibraryServer, proxy: Child, admin: ProxyAdmin, base: readonly ResourceEntry[]) {
    this.#plane = plane;
    this.proxy = proxy;
    this.admin = admin;
    this.#base = base;
  }

  /** Starts it with a filter at these ports. */
  static async start(
    context: ScenarioContext,
    [filtered, plain]: readonly [number, number],
    filter: PushedFilter,
  ): Promise<HostileSite> {
    const endpoint = await EchoEndpoint.start(ADDRESS, 1);
    context.defer(() => endpoint.close());
    const plane = await startLibraryServer(context);
    const discovered = { name: FILTER, config_discovery: { config_source: ads, type_urls: [PLUGIN] } };
    const base = [
      listener("filtered", filtered, [discovered]),
      listener("plain", plain, []),
      entry(ClusterSchema, "echo", clusterJson(endpoint.port)),
    ];
    plane.publish(...base, extension(filter));
    const { proxy, adminAddress } = await startProxyOf(context, plane.address);
    const site = new HostileSite(plane, proxy, new ProxyAdmin(adminAddress), base);
    await until("the proxy was ready", () => site.admin.isReady());
    return site;
  }

  /** Exchanges the filter. */
  push(filter: PushedFilter): void {
    this.#plane.publish(...this.#base, extension(filter));
  }

  /** Why the proxy refused the filter as it was pushed last; undefined where it did not. */
  get refusal(): string | undefined {
    const [proxy] = this.#plane.server.proxies.all();
    const filters = [...(proxy?.types ?? [])].find(([url]) => url.endsWith(".TypedExtensionConfig"))?.[1];
    return filters?.resources.get(FILTER)?.refusal?.error;
  }

  /** How often filters failed so. */
  async failures(kind: string): Promise<number> {
    const pattern = new RegExp(`^msm_filter_failures_total\\{[^}]*kind="${kind}"[^}]*\\} (\\d+)`, "gm");
    const text = await this.admin.text("/stats/prometheus");
    return [...text.matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0);
  }

  /** Whether the proxy's log has such a text. */
  hasLogged(text: string): boolean {
    return readFileSync(this.proxy.logPath, "utf8").includes(text);
  }

  /** Resident memory of the proxy, MiB; undefined where the system does not tell. */
  residentMib(): number | undefined {
    try {
      const status = readFileSync(`/proc/${this.proxy.pid}/status`, "utf8");
      return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024);
    } catch {
      return undefined;
    }
  }
}

const PLUGIN = `${TYPE}.wasm.v3.PluginConfig`;
const ads = { ads: {}, resource_api_version: "V3" };

function extension({ module, deed }: PushedFilter): ResourceEntry {
  const code = { local: { inline_bytes: Buffer.from(module).toString("base64") } };
  const value = JSON.stringify({ deed });
  const typed_config = {
    "@type": PLUGIN,
    name: FILTER,
    failure_policy: "FAIL_OPEN",
    vm_config: { runtime: "envoy.wasm.runtime.v8", code },
    configuration: { "@type": "type.googleapis.com/google.protobuf.StringValue", value },
  };
  return entry(TypedExtensionConfigSchema, FILTER, { name: FILTER, typed_config });
}

function listener(name: string, port: number, session_filters: readonly object[]): ResourceEntry {
  const route = { "@type": `${UDP_PROXY}.Route`, cluster: "echo" };
  const typed_config = {
    "@type": `${UDP_PROXY}.UdpProxyConfig`,
    stat_prefix: name,
    matcher: { on_no_match: { action: { name: "route", typed_config: route } } },
    session_filters,
  };
  const listener_filters = [{ name: "udp", typed_config }];
  return entry(ListenerSchema, name, { name, address: at(port), listener_filters });
}

function clusterJson(port: number): object {
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: at(port) } }] }];
  return { name: "echo", load_assignment: { cluster_name: "echo", endpoints } };
}

function at(port_value: number): object {
  return { socket_address: { protocol: "UDP", address: ADDRESS, port_value } };
}

function entry(schema: DescMessage, name: string, json: object): ResourceEntry {
  return createEntry(schema, name, fromJson(schema, json as JsonValue, { registry }));
}
