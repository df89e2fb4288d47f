// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { formatAddress } from "../config/read-address.ts";
import { type RunningProxy, startProxy } from "../start-proxy.ts";
import { networkFilter } from "../wasm/testdata/wat-network.ts";
import { TestClient, until } from "./testdata/test-client.ts";

const TYPES = "type.googleapis.com/envoy.extensions.filters.network";

let folder: string;
let server: Server;
let accepted: Socket[];
let proxy: RunningProxy;
let clients: TestClient[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "msm-relay-"));
  writeFileSync(join(folder, "network.wasm"), networkFilter());
  accepted = [];
  clients = [];
  server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.push(socket);
    socket.on("error", () => {});
    socket.on("data", (data) => socket.write(data));
    socket.on("end", () => socket.end("bye"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
  for (const client of clients) client.close();
  for (const socket of accepted) socket.destroy();
  server.close();
  await proxy.close();
  rmSync(folder, { recursive: true });
});

function address(port: number) {
  return { address: { socket_address: { address: "127.0.0.1", port_value: port } } };
}

async function start(failure_policy = "FAIL_CLOSED", tcpProxy: object = {}): Promise<void> {
  const { port } = server.address() as { port: number };
  const code = { local: { filename: join(folder, "network.wasm") } };
  const wasm = {
    "@type": `${TYPES}.wasm.v3.Wasm`,
    config: { name: "network", failure_policy, vm_config: { runtime: "envoy.wasm.runtime.v8", code } },
  };
  const relay = { "@type": `${TYPES}.tcp_proxy.v3.TcpProxy`, stat_prefix: "t", cluster: "echo", ...tcpProxy };
  const filters = [
    { name: "envoy.filters.network.wasm", typed_config: wasm },
    { name: "envoy.filters.network.tcp_proxy", typed_config: relay },
  ];
  const endpoints = [{ lb_endpoints: [{ endpoint: address(port) }] }];
  const static_resources = {
    listeners: [{ name: "tcp", ...address(0), filter_chains: [{ filters }] }],
    clusters: [{ name: "echo", load_assignment: { cluster_name: "echo", endpoints } }],
  };
  proxy = await startProxy({ bootstrap: { admin: address(0), static_resources }, concurrency: 1 });
}

async function connect(): Promise<TestClient> {
  const [listener] = proxy.listeners();
  const client = await TestClient.connect(listener?.localAddress ?? { address: "", port: 0 });
  clients.push(client);
  return client;
}

async function metric(line: RegExp): Promise<void> {
  await expect
    .poll(async () => (await fetch(`http://${formatAddress(proxy.adminAddress)}/stats/prometheus`)).text(), {
      timeout: 10_000,
    })
    .toMatch(line);
}

test("a Proxy-Wasm network filter stands between a client and the endpoint of tcp_proxy", async () => {
  await start();
  const client = await connect();
  client.send("-hello");
  // The filter puts <> for the first byte, the endpoint echoes, and the filter does so again.
  await client.expect("<>>hello");
  client.send("4a");
  client.send("bc");
  await client.expect("<>>abc");
});

test("each side may end its half: what follows from the other still comes", async () => {
  await start();
  const client = await connect();
  client.send("-a");
  await client.expect("<>>a");
  client.socket.end();
  await client.expect("<>ye");
  await client.closed();
  await metric(/^msm_signalling_connections_active\{listener="tcp"\} 0$/m);
  expect(accepted).toHaveLength(1);
});

test("what the filter pauses goes on when it says so, and what it closes ends", async () => {
  await start();
  const client = await connect();
  client.send("pause");
  await client.expect("pause");
  client.send("x");
  await client.closed();
});

test("a large transfer passes in both directions though one side reads slowly", async () => {
  await start();
  const client = await connect();
  client.socket.pause();
  const sent = `-${"m".repeat(3_000_000)}`;
  client.send(sent);
  await until(() => (accepted[0]?.bytesRead ?? 0) > 100_000, "the first bytes");
  client.socket.resume();
  await until(() => client.text.length >= sent.length, "the echo");
});

test("a filter that breaks ends its connections and is made anew; bypassed, connections go on without it", async () => {
  await start();
  const first = await connect();
  first.send("!");
  await first.closed();
  await metric(/^msm_filter_failures_total\{[^}]*kind="trap"[^}]*\} 1$/m);
  await metric(/^msm_signalling_instances_total\{listener="tcp"\} 2$/m);
  const second = await connect();
  second.send("-a");
  await second.expect("<>>a");
});

test("under FAIL_OPEN connections go on without a filter that broke, and nothing is lost", async () => {
  await start("FAIL_OPEN");
  const client = await connect();
  client.send("4a");
  await until(() => accepted.length === 1, "the connection to the endpoint");
  const other = await connect();
  other.send("!");
  await other.expect("!");
  await client.expect("4a");
});

test("a client of an endpoint that is not there is let go", async () => {
  await start();
  server.close();
  const client = await connect();
  await client.closed();
  await metric(/^msm_signalling_streams_failed_total\{listener="tcp"\} 1$/m);
});

test("what tcp_proxy says and this proxy does not do is refused", async () => {
  await expect(start("FAIL_CLOSED", { max_connect_attempts: 3 })).rejects.toThrow(
    /MSM_CONFIG_UNSUPPORTED_VALUE.*max_connect_attempts/,
  );
  await start();
});
