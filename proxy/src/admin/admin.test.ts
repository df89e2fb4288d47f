// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { create, fromJsonString, type JsonObject, registry, unpackAny } from "@msm/xds-protos";
import { ClustersSchema } from "@msm/xds-protos/envoy/admin/v3/clusters_pb.js";
import { type ConfigDump, ConfigDumpSchema } from "@msm/xds-protos/envoy/admin/v3/config_dump_pb.js";
import { ClientResourceStatus } from "@msm/xds-protos/envoy/admin/v3/config_dump_shared_pb.js";
import { ListenersSchema } from "@msm/xds-protos/envoy/admin/v3/listeners_pb.js";
import { SimpleMetric_Type } from "@msm/xds-protos/envoy/admin/v3/metrics_pb.js";
import { ServerInfoSchema } from "@msm/xds-protos/envoy/admin/v3/server_info_pb.js";
import { LegStateSchema } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readBootstrap } from "../config/bootstrap.ts";
import { bootstrapSource } from "../config/bootstrap-source.ts";
import { BuiltinFilters } from "../config/builtin-filters.ts";
import { FilterLoader } from "../config/filter-loader.ts";
import { formatAddress } from "../config/read-address.ts";
import type { ResourceType } from "../config/resource.ts";
import { ConfigStore } from "../config/store.ts";
import { FakeDatapath } from "../config/testdata/fake-datapath.ts";
import { builtinFolder, EMPTY_MODULE, fakeFilterHost } from "../config/testdata/filters.ts";
import {
  assignmentJson,
  discoveredFilter,
  ecdsJson,
  edsClusterJson,
  listenerJson,
  pluginJson,
  resource,
  staticClusterJson,
} from "../config/testdata/resources.ts";
import { silentLogger } from "../logger.ts";
import type { DrainOrder } from "../worker/listener-drain.ts";
import { type HttpServer, startHttpServer } from "./http-server.ts";
import { loadRoutes } from "./load-routes.ts";
import { ServerState } from "./server-state.ts";

const builtins = new BuiltinFilters(builtinFolder());
let datapath: FakeDatapath;
let store: ConfigStore;
let state: ServerState;
let server: HttpServer;
let level: string;
let quits: number;
let drains: DrainOrder[];
let isFaultInjectionEnabled: boolean;

beforeEach(async () => {
  datapath = new FakeDatapath();
  store = new ConfigStore({
    loader: new FilterLoader(fakeFilterHost, builtins),
    applyPlan: (plan) => datapath.apply(plan),
    probeAddress: () => Promise.resolve(),
  });
  state = new ServerState(new Set(), () => 0);
  level = "info";
  quits = 0;
  drains = [];
  isFaultInjectionEnabled = false;
  server = await startHttpServer({
    address: { address: "127.0.0.1", port: 0 },
    routes: new Map((await loadRoutes()).map((route) => [route.path, route])),
    logger: silentLogger,
    context: {
      version: "1.2.3",
      startedAt: new Date(Date.now() - 5000),
      bootstrap: readBootstrap(bootstrapSource({ node: { id: "proxy-1", cluster: "edge" } })),
      configPath: "bootstrap.yaml",
      drainTimeMs: 45_000,
      store,
      state,
      datapath: () => datapath,
      get isFaultInjectionEnabled() {
        return isFaultInjectionEnabled;
      },
      samples: () => datapath.samples(),
      logLevel: () => level,
      setLogLevel: (wanted) => {
        if (wanted === "loud") return false;
        level = wanted;
        return true;
      },
      drainListeners: async (order) => {
        drains.push(order);
      },
      quit: () => {
        quits++;
      },
    },
  });
});

afterEach(() => server.close());

async function request(
  path: string,
  method = "GET",
): Promise<{ status: number; type: string | null; text: string }> {
  const response = await fetch(`http://${formatAddress(server.address)}${path}`, { method });
  return { status: response.status, type: response.headers.get("content-type"), text: await response.text() };
}

function apply(type: ResourceType, added: Readonly<Record<string, JsonObject>>, version = "1") {
  const resources = Object.entries(added).map(([name, json]) => resource(name, json, version));
  return store.apply({ type, added: resources, removed: [] });
}

/** One listener that serves, one that waits, and one whose second form was refused. */
async function applyEverything(): Promise<void> {
  const filters = { udpProxy: { session_filters: [discoveredFilter("f")] } };
  await apply("cluster", { viewer: edsClusterJson("viewer"), fixed: staticClusterJson("fixed", 6006) });
  await apply("clusterLoadAssignment", {
    viewer: assignmentJson("viewer", [6004], { health_status: "DRAINING" }),
  });
  await apply("listener", {
    a: listenerJson("a", 5004, filters),
    waits: listenerJson("waits", 5006, { cluster: "x" }),
  });
  const code = {
    vm_config: { code: { local: { inline_bytes: Buffer.from(EMPTY_MODULE).toString("base64") } } },
  };
  await apply("typedExtensionConfig", { f: ecdsJson("f", pluginJson(code)) });
  await apply("listener", { a: listenerJson("a", 5004, { transparent: true }) }, "2");
}

async function configDump(query = ""): Promise<ConfigDump> {
  const { status, type, text } = await request(`/config_dump${query}`);
  expect([status, type]).toEqual([200, "application/json"]);
  return fromJsonString(ConfigDumpSchema, text, { registry });
}

describe("/config_dump", () => {
  test("has Envoy's sections, in JSON that its own messages read back", async () => {
    await applyEverything();
    const typesOf = (dump: ConfigDump) => dump.configs.map(({ typeUrl }) => typeUrl.replace(/^.*\./, ""));
    const sections = ["BootstrapConfigDump", "ClustersConfigDump", "EcdsConfigDump"];
    const others = ["ListenersConfigDump", "RoutesConfigDump", "SecretsConfigDump"];
    expect(typesOf(await configDump())).toEqual([...sections, ...others]);
    expect(typesOf(await configDump("?include_eds"))).toEqual([
      ...sections,
      "EndpointsConfigDump",
      ...others,
    ]);
  });

  test("shows active, waiting and refused listeners, each with its reason", async () => {
    await applyEverything();
    const { configs } = await configDump("?resource=dynamic_listeners");
    const [serving, waiting] = configs.map((any) => unpackAny(any));
    expect(serving).toMatchObject({
      name: "a",
      activeState: { versionInfo: "1" },
      errorState: {
        versionInfo: "2",
        details: expect.stringContaining("MSM_CONFIG_UNSUPPORTED_VALUE: transparent"),
      },
      clientStatus: ClientResourceStatus.NACKED,
    });
    expect(serving).not.toHaveProperty("warmingState");
    expect(waiting).toMatchObject({
      name: "waits",
      warmingState: { versionInfo: "1" },
      clientStatus: ClientResourceStatus.ACKED,
    });
    expect(waiting).not.toHaveProperty("activeState");
  });

  test("uses the field names of the proto files", async () => {
    await applyEverything();
    const { text } = await request("/config_dump");
    expect(text).toContain('"version_info"');
    expect(text).toContain('"@type": "type.googleapis.com/envoy.config.listener.v3.Listener"');
    expect(text).not.toContain('"versionInfo"');
  });

  test("is whole even where a resource holds something that nobody here can read", async () => {
    const body = {
      typeUrl: "type.googleapis.com/envoy.config.listener.v3.Listener",
      value: new Uint8Array([255]),
    };
    const damaged = {
      ...resource("a", listenerJson("a", 1)),
      body: { ...resource("a", listenerJson("a", 1)).body, ...body },
    };
    await store.apply({ type: "listener", added: [damaged], removed: [] });
    const { configs } = await configDump("?resource=dynamic_listeners");
    expect(configs.map((any) => unpackAny(any))).toMatchObject([
      { name: "a", errorState: { details: expect.stringContaining("MSM_CONFIG_UNDECODABLE") } },
    ]);
  });

  test("says so where it is asked for what it has not", async () => {
    expect(await request("/config_dump?resource=nope")).toMatchObject({ status: 404 });
    expect(await request("/config_dump?mask=configs")).toMatchObject({ status: 400 });
  });
});

describe("/clusters", () => {
  test("lists endpoints, those included that take no sessions, in Envoy's text", async () => {
    await applyEverything();
    const { text } = await request("/clusters");
    expect(text).toContain("viewer::eds_service_name::viewer\n");
    expect(text).toContain("viewer::127.0.0.1:6004::health_flags::/eds_status_draining\n");
    expect(text).toContain("fixed::127.0.0.1:6006::health_flags::healthy\n");
    expect(text).toContain("fixed::127.0.0.1:6006::cx_active::2\n");
    expect(text).toContain("fixed::127.0.0.1:6006::cx_total::3\n");
    expect(text).toContain("fixed::127.0.0.1:6006::priority::0\n");
  });

  test("says of an endpoint that failed who says so", async () => {
    await applyEverything();
    const { plan } = datapath;
    const failedBy = async (failed: "ACTIVE_CHECK" | "OUTLIER") => {
      const clusters = plan.clusters.map((cluster) => ({
        ...cluster,
        endpoints: cluster.endpoints.map((endpoint) => ({
          ...endpoint,
          health: "UNHEALTHY" as const,
          failed,
        })),
      }));
      await datapath.apply({ ...plan, clusters });
      return (await request("/clusters")).text;
    };
    expect(await failedBy("ACTIVE_CHECK")).toContain(
      "fixed::127.0.0.1:6006::health_flags::/failed_active_hc\n",
    );
    expect(await failedBy("OUTLIER")).toContain(
      "fixed::127.0.0.1:6006::health_flags::/failed_outlier_check\n",
    );
  });

  test("is Envoy's message in JSON", async () => {
    await applyEverything();
    const clusters = fromJsonString(ClustersSchema, (await request("/clusters?format=json")).text);
    expect(clusters.clusterStatuses).toMatchObject([
      { name: "viewer", addedViaApi: true, hostStatuses: [{ healthStatus: { edsHealthStatus: 3 } }] },
      {
        name: "fixed",
        hostStatuses: [
          {
            healthStatus: { edsHealthStatus: 1 },
            stats: expect.arrayContaining([
              expect.objectContaining({ name: "cx_active", value: 2n, type: SimpleMetric_Type.GAUGE }),
              expect.objectContaining({ name: "cx_connect_fail", value: 2n }),
              expect.objectContaining({ name: "rq_total", value: 11n }),
            ]),
          },
        ],
      },
    ]);
  });
});

test("/listeners names the open ones with the addresses that they got", async () => {
  await applyEverything();
  expect((await request("/listeners")).text).toBe("a::127.0.0.1:5004\n");
  const listeners = fromJsonString(ListenersSchema, (await request("/listeners?format=json")).text);
  expect(listeners.listenerStatuses).toMatchObject([
    {
      name: "a",
      localAddress: { address: { case: "socketAddress", value: { portSpecifier: { value: 5004 } } } },
    },
  ]);
});

test("/flows shows each leg with its addresses and counters", async () => {
  const counts = {
    receivedDatagrams: 0,
    receivedBytes: 0,
    sentDatagrams: 7,
    sentBytes: 700,
    dropped: { late: 2 },
  };
  const state = create(LegStateSchema, { id: "viewer", local: { ip: "192.0.2.1", port: 16384 } });
  const leg = {
    id: "viewer",
    role: "receiver",
    isEnabled: true,
    isActive: false,
    transport: "udp",
    worker: 0,
    state,
  } as const;
  datapath.liveFlows = [
    { owner: "rtsp", id: "1", stream: "lobby", worker: 0, legs: [{ ...leg, ...counts }] },
  ];
  expect(JSON.parse((await request("/flows")).text)).toMatchObject([
    { stream: "lobby", legs: [{ id: "viewer", local: { ip: "192.0.2.1", port: 16384 }, ...counts }] },
  ]);
});

test("/ready tells whether the proxy serves", async () => {
  expect(await request("/ready")).toMatchObject({ status: 503, text: "PRE_INITIALIZING\n" });
  state.start();
  expect(await request("/ready")).toMatchObject({ status: 200, text: "LIVE\n" });
  expect(await request("/healthcheck/fail", "POST")).toMatchObject({ status: 200 });
  expect(await request("/ready")).toMatchObject({ status: 503, text: "DRAINING\n" });
  expect(await request("/healthcheck/ok", "POST")).toMatchObject({ status: 200 });
  expect(await request("/ready")).toMatchObject({ status: 200 });
});

test("/server_info tells version, uptime and node", async () => {
  const info = fromJsonString(ServerInfoSchema, (await request("/server_info")).text, { registry });
  expect(info).toMatchObject({
    version: "1.2.3",
    node: { id: "proxy-1" },
    commandLineOptions: { concurrency: 1, configPath: "bootstrap.yaml", drainTime: { seconds: 45n } },
  });
  expect(Number(info.uptimeCurrentEpoch?.seconds)).toBeGreaterThanOrEqual(5);
});

describe("/stats", () => {
  const rx = {
    kind: "counter",
    name: "udp.rx",
    dottedName: "udp.edge.rx",
    labels: { envoy_udp_prefix: "edge" },
  } as const;

  beforeEach(() => {
    datapath.liveSamples = [
      { ...rx, value: 3 },
      { kind: "counter", name: "listener_manager.lds.update_rejected", labels: {}, value: 0 },
    ];
  });

  test("is text, JSON or Prometheus, as asked", async () => {
    expect((await request("/stats?usedonly")).text).toBe("udp.edge.rx: 3\n");
    expect(JSON.parse((await request("/stats?format=json&filter=^udp")).text)).toEqual({
      stats: [{ name: "udp.edge.rx", value: 3 }],
    });
    const line = 'envoy_udp_rx{envoy_udp_prefix="edge"} 3';
    const prometheus = await request("/stats/prometheus");
    expect(prometheus.type).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(prometheus.text).toContain(line);
    expect((await request("/stats?format=prometheus")).text).toContain(line);
  });

  test.each(["filter=(", `filter=${"a".repeat(300)}`, "format=xml"])(
    "refuses ?%s with 400",
    async (query) => {
      expect(await request(`/stats?${query}`)).toMatchObject({ status: 400 });
    },
  );
});

test("/logging shows and changes the level", async () => {
  expect((await request("/logging", "POST")).text).toBe("level: info\n");
  expect((await request("/logging?level=debug", "POST")).text).toBe("level: debug\n");
  expect(await request("/logging?level=loud", "POST")).toMatchObject({ status: 400 });
  expect(level).toBe("debug");
});

test("POST /workers/kill lets a worker fail, but only where that is allowed", async () => {
  expect(await request("/workers/kill?worker=0", "POST")).toMatchObject({ status: 403 });
  isFaultInjectionEnabled = true;
  expect(await request("/workers/kill?worker=0&how=spin", "POST")).toMatchObject({ status: 200 });
  expect(await request("/workers/kill?worker=1", "POST")).toMatchObject({ status: 400 });
  expect(await request("/workers/kill?how=gently", "POST")).toMatchObject({ status: 400 });
  expect(datapath.failures).toEqual(["0 spin", "1 throw"]);
});

test.each(["/quitquitquit", "/logging?level=debug", "/healthcheck/fail"])(
  "GET %s changes nothing",
  async (path) => {
    expect(await request(path)).toMatchObject({ status: 405 });
    expect([quits, level]).toEqual([0, "info"]);
  },
);

test("POST /drain_listeners ends all listeners, or those that are meant, now or later", async () => {
  for (const query of ["", "?graceful&inboundonly", "?graceful&skip_exit"])
    expect(await request(`/drain_listeners${query}`, "POST")).toMatchObject({ status: 200, text: "OK\n" });
  expect(drains).toEqual([
    { isGraceful: false, staysOpen: false, inboundOnly: false },
    { isGraceful: true, staysOpen: false, inboundOnly: true },
    { isGraceful: true, staysOpen: true, inboundOnly: false },
  ]);
  expect((await request("/drain_listeners?skip_exit", "POST")).status).toBe(400);
  expect(drains).toHaveLength(3);
});

test("POST /quitquitquit stops the proxy", async () => {
  expect(await request("/quitquitquit", "POST")).toMatchObject({ status: 200, text: "OK\n" });
  expect(quits).toBe(1);
});

test("/ and /help list every path with a sentence; other paths are not found", async () => {
  const { text } = await request("/");
  expect(text).toBe((await request("/help")).text);
  for (const { path, method, summary } of (await loadRoutes()).filter((route) => route.summary !== "")) {
    expect(text).toMatch(new RegExp(`^${method} ${path} +${summary.slice(0, 10)}`, "m"));
    expect(summary).toMatch(/^[A-Z].*\.$/);
  }
  expect(await request("/nope")).toMatchObject({ status: 404 });
});

test("HEAD gets the head alone", async () => {
  expect(await request("/help", "HEAD")).toMatchObject({ status: 200, text: "" });
});
