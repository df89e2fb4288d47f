// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from "@msm/xds-protos";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { checkBootstrap } from "./check-bootstrap.ts";
import { BootstrapError } from "./config/bootstrap-error.ts";
import { formatAddress } from "./config/read-address.ts";
import { FakeDatapath } from "./config/testdata/fake-datapath.ts";
import { builtinFolder, fakeFilterHost } from "./config/testdata/filters.ts";
import {
  discoveredFilter,
  listenerJson,
  pluginJson,
  staticClusterJson,
} from "./config/testdata/resources.ts";
import type { SocketAddress } from "./plan.ts";
import type { ProxyOptions } from "./proxy-options.ts";
import { type RunningProxy, startProxy } from "./start-proxy.ts";

let datapath: FakeDatapath;
let proxy: RunningProxy | undefined;

beforeEach(() => {
  datapath = new FakeDatapath();
  proxy = undefined;
});

afterEach(() => proxy?.close());

const admin = { address: { socket_address: { address: "127.0.0.1", port_value: 0 } } };

function withoutType({ "@type": _, ...fields }: JsonObject): JsonObject {
  return fields;
}

/** A bootstrap with a listener, to a cluster with one endpoint. */
function bootstrap(udpProxy: JsonObject = {}, port = 5004): object {
  const listener = withoutType(listenerJson("a", port, { udpProxy }));
  const cluster = withoutType(staticClusterJson("viewer", 6004));
  return { admin, static_resources: { listeners: [listener], clusters: [cluster] } };
}

async function start(
  options: Partial<ProxyOptions> & Pick<ProxyOptions, "bootstrap">,
): Promise<RunningProxy> {
  proxy = await startProxy({
    filters: builtinFolder(),
    parts: {
      startDatapath: () => Promise.resolve(datapath),
      filterHost: fakeFilterHost,
      probeAddress: () => Promise.resolve(),
    },
    ...options,
  });
  return proxy;
}

async function get(address: SocketAddress | undefined, path: string, method = "GET") {
  if (address === undefined) throw new Error("nothing listens there");
  const response = await fetch(`http://${formatAddress(address)}${path}`, { method });
  return { status: response.status, text: await response.text() };
}

test("static resources are applied and the proxy is live at once", async () => {
  const { adminAddress } = await start({
    bootstrap: bootstrap({ session_filters: [{ name: "f", typed_config: pluginJson() }] }),
  });
  expect(await get(adminAddress, "/ready")).toEqual({ status: 200, text: "LIVE\n" });
  expect(datapath.plan).toMatchObject({
    listeners: [{ name: "a", filters: [{ name: "f" }] }],
    clusters: [{ name: "viewer" }],
  });
  const stats = (await get(adminAddress, "/stats?usedonly")).text;
  expect(stats).toContain("server.state: 0\n");
  expect(stats).toContain("listener_manager.workers_started: 1\n");
  expect(stats).toContain("listener_manager.listener_added: 1\n");
  expect(stats).toContain("cluster.viewer.membership_healthy: 1\n");
});

test("what is wrong with static resources is told with its place, and nothing is left running", async () => {
  const options = { bootstrap: bootstrap({ idle_timeout: "0s" }) };
  await expect(start(options)).rejects.toThrow(
    /^bootstrap: MSM_CONFIG_INVALID: static_resources\.listeners\[0\]\.listener_filters\[0\]\.typed_config\.idle_timeout: /,
  );
  expect(datapath.isClosed).toBe(true);
});

test("a listener that would wait for ever is refused when there is no control plane to wait for", async () => {
  await expect(start({ bootstrap: bootstrap({ session_filters: [discoveredFilter("f")] }) })).rejects.toThrow(
    /MSM_BOOTSTRAP_UNRESOLVED: static_resources\.listeners\[0\]: needs filter f, /,
  );
});

test("a listener that cannot be opened is told as the datapath has it", async () => {
  datapath.broken.set("a", new Error("EACCES"));
  await expect(start({ bootstrap: bootstrap() })).rejects.toThrow(/MSM_LISTENER_BIND: .*EACCES/);
});

test("a datapath that does not start ends the start, and takes the admin interface with it", async () => {
  const startDatapath = () => Promise.reject(new RangeError("no such I/O backend"));
  await expect(start({ bootstrap: { admin }, parts: { startDatapath } })).rejects.toThrow(
    "no such I/O backend",
  );
});

test("an admin port that is taken is told by its field", async () => {
  const first = await start({ bootstrap: { admin } });
  const { port } = first.adminAddress;
  const address = { socket_address: { address: "127.0.0.1", port_value: port } };
  await expect(startProxy({ bootstrap: { admin: { address } } })).rejects.toMatchObject({
    code: "MSM_BOOTSTRAP_ADDRESS",
    field: "admin.address",
  });
});

test("with a control plane that is away the proxy starts, waits as long as it is told, and is live then", async () => {
  const ads = { ads: {}, resource_api_version: "V3", initial_fetch_timeout: "0.3s" };
  const target_uri = "127.0.0.1:1";
  const { adminAddress } = await start({
    bootstrap: {
      ...bootstrap(),
      node: { id: "proxy-1", cluster: "edge" },
      dynamic_resources: {
        ads_config: {
          api_type: "DELTA_GRPC",
          grpc_services: [{ google_grpc: { target_uri, stat_prefix: "x" } }],
        },
        lds_config: ads,
        cds_config: ads,
      },
    },
  });
  expect(await get(adminAddress, "/ready")).toEqual({ status: 503, text: "PRE_INITIALIZING\n" });
  expect(datapath.plan.listeners).toHaveLength(1);
  await vi.waitUntil(async () => (await get(adminAddress, "/ready")).status === 200, { timeout: 10_000 });
  expect((await get(adminAddress, "/stats")).text).toContain("control_plane.connected_state: 0\n");
});

test("metrics and health have ports of their own where that is asked for, with nothing else on them", async () => {
  const free = { address: "127.0.0.1", port: 0 };
  const { metricsAddress, healthAddress } = await start({
    bootstrap: bootstrap(),
    metricsAddress: free,
    healthAddress: free,
  });
  expect((await get(metricsAddress, "/metrics")).text).toContain("envoy_server_live 1\n");
  expect(await get(healthAddress, "/healthz/ready")).toEqual({ status: 200, text: "LIVE\n" });
  expect(await get(healthAddress, "/quitquitquit", "POST")).toMatchObject({ status: 404 });
});

test("POST /quitquitquit ends the proxy and its datapath", async () => {
  const { adminAddress, closed } = await start({ bootstrap: bootstrap() });
  expect(await get(adminAddress, "/quitquitquit", "POST")).toMatchObject({ status: 200 });
  await closed;
  expect(datapath.isClosed).toBe(true);
});

test("checking a bootstrap finds the same faults and opens nothing", async () => {
  const parts = { filterHost: fakeFilterHost };
  await checkBootstrap({ bootstrap: bootstrap(), parts });
  const bad = checkBootstrap({ bootstrap: bootstrap({ use_original_src_ip: true }), parts });
  await expect(bad).rejects.toThrow(BootstrapError);
});
