// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { until } from "@msm/deploy";
import { startProxy } from "@msm/proxy";
import type { Scenario, ScenarioContext } from "../../runner/suite.ts";

const ADDRESS = "127.0.0.1";
const TYPE = "type.googleapis.com/envoy.extensions";
const UDP_PROXY = `${TYPE}.filters.udp.udp_proxy.v3`;

/** As often as clients change their address: a phone between two networks, again and again. */
const MOVES = 20;
const IDENTIFIERS = ["peer-001", "peer-002", "peer-003"];

/** Clients that change their address keep session and endpoint port, found by the identifier in their datagrams. */
export function keyedSessions(io: string): Scenario {
  return {
    title: `clients that change their address keep their sessions by an identifier (--io ${io})`,
    run: async (context) => {
      const server = await openSocket(context);
      /** By identifier: the ports of the proxy that the server heard from. */
      const ports = new Map<string, Set<number>>();
      server.on("message", (data, from) => {
        const identifier = data.subarray(1, 9).toString();
        ports.set(identifier, (ports.get(identifier) ?? new Set()).add(from.port));
        server.send(data, from.port, from.address);
      });
      const bootstrap = bootstrapTo(server.address().port);
      const proxy = await startProxy({ bootstrap, concurrency: 1, io });
      context.defer(() => proxy.close());
      const { port } = proxy.listeners()[0]!.localAddress;
      for (let move = 0; move < MOVES; move++) {
        for (const identifier of IDENTIFIERS) await exchange(identifier, move, port);
      }
      assert.deepEqual([...ports.keys()].sort(), IDENTIFIERS);
      for (const [identifier, seen] of ports)
        assert.equal(seen.size, 1, `${identifier} had several sessions`);
      context.note(`${IDENTIFIERS.length} clients at ${MOVES} addresses each: one session for each client`);
    },
  };
}

/** Sends from a new address and waits for the answer there. */
async function exchange(identifier: string, move: number, port: number): Promise<void> {
  const client = createSocket("udp4");
  try {
    let answer: Buffer | undefined;
    client.once("message", (data) => {
      answer = data;
    });
    const sent = Buffer.concat([Buffer.of(move), Buffer.from(identifier)]);
    client.send(sent, port, ADDRESS);
    const got = await until(`the answer to ${identifier} reached its address number ${move}`, () => answer);
    assert.ok(got.equals(sent));
  } finally {
    client.close();
  }
}

async function openSocket(context: ScenarioContext): Promise<Socket> {
  const socket = createSocket("udp4").bind(0, ADDRESS);
  context.defer(() => socket.close());
  await once(socket, "listening");
  return socket;
}

function bootstrapTo(serverPort: number): object {
  const route = { "@type": `${UDP_PROXY}.Route`, cluster: "server" };
  const udpProxy = {
    "@type": `${UDP_PROXY}.UdpProxyConfig`,
    stat_prefix: "game",
    matcher: { on_no_match: { action: { name: "route", typed_config: route } } },
  };
  const sessionKey = {
    "@type": `${TYPE}.wasm.v3.PluginConfig`,
    vm_config: { runtime: "envoy.wasm.runtime.null", code: { local: { inline_string: "session-key" } } },
    configuration: {
      "@type": "type.googleapis.com/google.protobuf.StringValue",
      value: JSON.stringify({ offset: 1, length: 8 }),
    },
  };
  const listener_filters = [
    { name: "session-key", typed_config: sessionKey },
    { name: "envoy.filters.udp_listener.udp_proxy", typed_config: udpProxy },
  ];
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: at("UDP", serverPort) } }] }];
  return {
    node: { id: "stages", cluster: "conformance" },
    admin: { address: at("TCP", 0) },
    static_resources: {
      listeners: [{ name: "game", address: at("UDP", 0), listener_filters }],
      clusters: [{ name: "server", load_assignment: { cluster_name: "server", endpoints } }],
    },
  };
}

function at(protocol: "UDP" | "TCP", port: number): object {
  return { socket_address: { protocol, address: ADDRESS, port_value: port } };
}
