// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { type RunningProxy, startProxy } from "@msm/proxy";
import type { ScenarioContext } from "../runner/suite.ts";
import { EchoEndpoint } from "../traffic/echo-endpoint.ts";

const ADDRESS = "127.0.0.1";
const TYPE = "type.googleapis.com/envoy.extensions";
const UDP_PROXY = `${TYPE}.filters.udp.udp_proxy.v3`;

/** What the word "ping" becomes. */
export const WORD = "PONG";

/** A proxy with one module behind a UDP and a TCP listener, each in Envoy's own form, and endpoints that echo. */
export class PingProxy {
  readonly udpPort: number;
  readonly tcpPort: number;
  readonly #proxy: RunningProxy;

  private constructor(proxy: RunningProxy) {
    this.#proxy = proxy;
    const portOf = (name: string): number =>
      proxy.listeners().find(({ plan }) => plan.name === name)?.localAddress.port ?? 0;
    this.udpPort = portOf("udp");
    this.tcpPort = portOf("tcp");
  }

  /** Starts it with the module's bytes as its compiler wrote them. */
  static async start(context: ScenarioContext, module: Uint8Array, rootId: string): Promise<PingProxy> {
    const filename = path.join(context.folder, "module.wasm");
    await writeFile(filename, module);
    const udp = await EchoEndpoint.start(ADDRESS, "e".charCodeAt(0));
    context.defer(() => udp.close());
    const tcp = createServer({ allowHalfOpen: true }, (socket) => socket.on("error", () => {}).pipe(socket));
    await once(tcp.listen(0, ADDRESS), "listening");
    context.defer(() => tcp.close());
    const { port } = tcp.address() as { port: number };
    const proxy = await startProxy({
      bootstrap: bootstrap(filename, rootId, udp.port, port),
      concurrency: 1,
    });
    context.defer(() => proxy.close());
    return new PingProxy(proxy);
  }

  /** The sum of a metric over its labels but for the listener. */
  async metric(name: string, listener: "udp" | "tcp"): Promise<number> {
    const { address, port } = this.#proxy.adminAddress;
    const text = await (await fetch(`http://${address}:${port}/stats/prometheus`)).text();
    const lines = text.matchAll(new RegExp(`^${name}\\{[^}]*listener="${listener}"[^}]*\\} (\\d+)$`, "gm"));
    return [...lines].reduce((sum, [, value]) => sum + Number(value), 0);
  }
}

function bootstrap(filename: string, root_id: string, udpPort: number, tcpPort: number): object {
  const plugin = {
    name: "ping",
    root_id,
    vm_config: { runtime: "envoy.wasm.runtime.v8", code: { local: { filename } } },
    configuration: { "@type": "type.googleapis.com/google.protobuf.StringValue", value: WORD },
  };
  const route = { "@type": `${UDP_PROXY}.Route`, cluster: "udp" };
  const udpProxy = {
    "@type": `${UDP_PROXY}.UdpProxyConfig`,
    stat_prefix: "udp",
    matcher: { on_no_match: { action: { name: "route", typed_config: route } } },
    session_filters: [{ name: "ping", typed_config: { "@type": `${TYPE}.wasm.v3.PluginConfig`, ...plugin } }],
  };
  const wasm = { "@type": `${TYPE}.filters.network.wasm.v3.Wasm`, config: plugin };
  const tcpProxy = {
    "@type": `${TYPE}.filters.network.tcp_proxy.v3.TcpProxy`,
    stat_prefix: "tcp",
    cluster: "tcp",
  };
  const filters = [
    { name: "envoy.filters.network.wasm", typed_config: wasm },
    { name: "envoy.filters.network.tcp_proxy", typed_config: tcpProxy },
  ];
  const listener_filters = [{ name: "envoy.filters.udp_listener.udp_proxy", typed_config: udpProxy }];
  return {
    node: { id: "ping", cluster: "conformance" },
    admin: { address: at("TCP", 0) },
    static_resources: {
      listeners: [
        { name: "udp", address: at("UDP", 0), listener_filters },
        { name: "tcp", address: at("TCP", 0), filter_chains: [{ filters }] },
      ],
      clusters: [cluster("udp", at("UDP", udpPort)), cluster("tcp", at("TCP", tcpPort))],
    },
  };
}

function cluster(name: string, address: object): object {
  const endpoints = [{ lb_endpoints: [{ endpoint: { address } }] }];
  return { name, load_assignment: { cluster_name: name, endpoints } };
}

function at(protocol: "UDP" | "TCP", port: number): object {
  return { socket_address: { protocol, address: ADDRESS, port_value: port } };
}
