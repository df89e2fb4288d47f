// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from "@msm/xds-protos";
import { beforeEach, describe, expect, test } from "vitest";
import { ConfigError } from "../config-error.ts";
import { BuiltinFilters } from "./builtin-filters.ts";
import { FilterLoader } from "./filter-loader.ts";
import type { ResourceType } from "./resource.ts";
import { ConfigStore } from "./store.ts";
import { FakeDatapath } from "./testdata/fake-datapath.ts";
import { builtinFolder, fakeFilterHost } from "./testdata/filters.ts";
import {
  assignmentJson,
  discoveredFilter,
  ecdsJson,
  edsClusterJson,
  listenerJson,
  pluginJson,
  resource,
  routeJson,
  routesJson,
  signallingJson,
  staticClusterJson,
} from "./testdata/resources.ts";

const builtins = new BuiltinFilters(builtinFolder());
let datapath: FakeDatapath;
let store: ConfigStore;
let takenPorts: Set<number>;
let refused: string[];

beforeEach(() => {
  datapath = new FakeDatapath();
  takenPorts = new Set();
  refused = [];
  store = new ConfigStore({
    loader: new FilterLoader(fakeFilterHost, builtins),
    applyPlan: (plan) => datapath.apply(plan),
    probeAddress: async ({ port }, field) => {
      if (takenPorts.has(port)) throw new ConfigError("MSM_LISTENER_BIND", field, "is taken");
    },
    onRefused: (type, { code, message }) => refused.push(`${type}: ${code}: ${message}`),
  });
});

/** Applies resources by name; returns `name: code` of those refused. */
async function apply(
  type: ResourceType,
  added: Readonly<Record<string, JsonObject>>,
  { removed = [] as readonly string[], version = "1" } = {},
): Promise<readonly string[]> {
  const resources = Object.entries(added).map(([name, json]) => resource(name, json, version));
  const rejections = await store.apply({ type, added: resources, removed });
  return rejections.map(({ name, error }) => `${name}: ${error.code}`);
}

const ports = () => datapath.plan.listeners.map(({ address }) => address.port);
const isWarming = (name: string) => store.built.warming.get(name);

test("endpoints for which there is no room are refused, and those that fit are taken", async () => {
  const applyPlan: FakeDatapath["apply"] = (plan) => datapath.apply(plan);
  const loader = new FilterLoader(fakeFilterHost, builtins);
  store = new ConfigStore({ loader, applyPlan, probeAddress: async () => {}, maxEndpoints: 5 });
  await apply("cluster", { a: edsClusterJson("a"), b: edsClusterJson("b"), c: staticClusterJson("c", 1) });
  expect(await apply("clusterLoadAssignment", { a: assignmentJson("a", [1, 2, 3]) })).toEqual([]);
  const both = { b: assignmentJson("b", [4, 5]), a: assignmentJson("a", [6, 7, 8]) };
  expect(await apply("clusterLoadAssignment", both, { version: "2" })).toEqual(["b: MSM_CLUSTER_CAPACITY"]);
  const counts = () => datapath.plan.clusters.map(({ name, endpoints }) => [name, endpoints[0]?.port]);
  expect(counts()).toContainEqual(["a", 6]);
  expect(await apply("clusterLoadAssignment", { a: assignmentJson("a", [6]) }, { version: "3" })).toEqual([]);
  expect(await apply("clusterLoadAssignment", { b: both.b }, { version: "3" })).toEqual([]);
  expect(counts()).toContainEqual(["b", 4]);
});

describe("warming", () => {
  test("a listener enters the plan when its cluster has endpoints and its filters are there, not before", async () => {
    const json = listenerJson("a", 5004, { udpProxy: { session_filters: [discoveredFilter("f")] } });
    expect(await apply("listener", { a: json })).toEqual([]);
    expect(isWarming("a")).toEqual(["cluster viewer", "filter f"]);
    await apply("cluster", { viewer: edsClusterJson("viewer") });
    expect(isWarming("a")).toEqual(["cluster viewer", "filter f"]);
    await apply("clusterLoadAssignment", { viewer: assignmentJson("viewer", [6004]) });
    expect(isWarming("a")).toEqual(["filter f"]);
    expect(datapath.plan.listeners).toEqual([]);
    await apply("typedExtensionConfig", { f: ecdsJson("f") });
    expect(isWarming("a")).toBeUndefined();
    expect(datapath.plan).toMatchObject({
      listeners: [{ name: "a", cluster: "viewer", filters: [{ name: "f" }] }],
      clusters: [{ name: "viewer", endpoints: [{ address: "127.0.0.1", port: 6004 }] }],
    });
  });

  test("the form before stays in force while a new form waits, with what is newer of its filters", async () => {
    await apply("cluster", { viewer: staticClusterJson("viewer", 6004) });
    await apply("listener", {
      a: listenerJson("a", 5004, { udpProxy: { session_filters: [discoveredFilter("f")] } }),
    });
    await apply("typedExtensionConfig", { f: ecdsJson("f") });
    const newer = listenerJson("a", 5006, { udpProxy: { session_filters: [discoveredFilter("g")] } });
    await apply("listener", { a: newer });
    expect(ports()).toEqual([5004]);
    expect(isWarming("a")).toEqual(["filter g"]);
    expect([...store.filterNames()].sort()).toEqual(["f", "g"]);

    await apply(
      "typedExtensionConfig",
      { f: ecdsJson("f", pluginJson({ root_id: "second" })) },
      { version: "2" },
    );
    expect(datapath.plan.listeners[0]?.filters[0]?.rootId).toBe("second");
    await apply("typedExtensionConfig", { g: ecdsJson("g") });
    expect(ports()).toEqual([5006]);
    expect([...store.filterNames()]).toEqual(["g"]);
  });

  test("a filter that is discovered runs where the listener has it, or the listener waits", async () => {
    const atListener = { "@type": "type.googleapis.com/google.protobuf.StringValue", value: "listener" };
    await apply("cluster", { viewer: staticClusterJson("viewer", 6004) });
    await apply("listener", { a: listenerJson("a", 5004, { listenerFilters: [discoveredFilter("f")] }) });
    await apply("typedExtensionConfig", { f: ecdsJson("f") });
    expect(isWarming("a")).toEqual(["filter f, which does not run at LISTENER"]);
    await apply(
      "typedExtensionConfig",
      { f: ecdsJson("f", pluginJson({ configuration: atListener })) },
      { version: "2" },
    );
    expect(datapath.plan.listeners).toMatchObject([{ listenerFilters: [{ name: "f" }], filters: [] }]);
  });

  test("a default configuration is in force until the filter is discovered, and again when it goes", async () => {
    const filter = discoveredFilter("f", {
      default_config: pluginJson({ root_id: "default" }),
      apply_default_config_without_warming: true,
    });
    await apply("cluster", { viewer: staticClusterJson("viewer", 6004) });
    await apply("listener", { a: listenerJson("a", 5004, { udpProxy: { session_filters: [filter] } }) });
    const rootId = () => datapath.plan.listeners[0]?.filters[0]?.rootId;
    expect(rootId()).toBe("default");
    await apply("typedExtensionConfig", { f: ecdsJson("f", pluginJson({ root_id: "discovered" })) });
    expect(rootId()).toBe("discovered");
    await apply("typedExtensionConfig", {}, { removed: ["f"] });
    expect(rootId()).toBe("default");
  });

  test("endpoints that the server does not know make a cluster complete and empty", async () => {
    await apply("cluster", { viewer: edsClusterJson("viewer") });
    await apply("listener", { a: listenerJson("a", 5004) });
    await apply("clusterLoadAssignment", {}, { removed: ["viewer"] });
    expect(ports()).toEqual([5004]);
    expect(datapath.plan.clusters).toMatchObject([{ name: "viewer", endpoints: [] }]);
  });
});

describe("refusals", () => {
  test("are per resource: the good ones of an update are applied, the bad one keeps its last good form", async () => {
    await apply("cluster", { viewer: staticClusterJson("viewer", 6004) });
    await apply("listener", { a: listenerJson("a", 5004), b: listenerJson("b", 5006) });
    const refused = await apply(
      "listener",
      { a: listenerJson("a", 5008), b: listenerJson("b", 5010, { transparent: true }) },
      { version: "2" },
    );
    expect(refused).toEqual(["b: MSM_CONFIG_UNSUPPORTED_VALUE"]);
    expect(ports()).toEqual([5008, 5006]);
    expect(store.tables.listener.refusalOf("b")).toMatchObject({ version: "2" });
    await apply("listener", { b: listenerJson("b", 5012) }, { version: "3" });
    expect(store.tables.listener.refusalOf("b")).toBeUndefined();
    expect(ports()).toEqual([5008, 5012]);
  });

  test("come from the datapath too: the listener runs on as it was, and the plan says so", async () => {
    await apply("cluster", { viewer: staticClusterJson("viewer", 6004) });
    await apply("listener", { a: listenerJson("a", 5004) });
    datapath.broken.set("a", new Error("EADDRINUSE"));
    expect(await apply("listener", { a: listenerJson("a", 5006) }, { version: "2" })).toEqual([
      "a: MSM_LISTENER_BIND",
    ]);
    expect(ports()).toEqual([5004]);
    expect(store.built.active.get("a")?.resource.version).toBe("1");
    expect(datapath.listeners().map(({ plan }) => plan.address.port)).toEqual([5004]);
    expect(refused).toEqual([
      expect.stringMatching(/^listener: MSM_LISTENER_BIND: .*EADDRINUSE; stop the other/),
    ]);
  });

  test("of a new listener by the datapath leave no trace in the plan", async () => {
    await apply("cluster", { viewer: staticClusterJson("viewer", 6004) });
    datapath.broken.set("a", new Error("EACCES"));
    expect(await apply("listener", { a: listenerJson("a", 80) })).toEqual(["a: MSM_LISTENER_BIND"]);
    expect(datapath.plan.listeners).toEqual([]);
    expect(store.tables.listener.get("a")).toBeUndefined();
  });

  test("tell of a port that is taken at once, though the listener would only open later", async () => {
    takenPorts.add(5004);
    const json = listenerJson("a", 5004, { udpProxy: { session_filters: [discoveredFilter("f")] } });
    expect(await apply("listener", { a: json })).toEqual(["a: MSM_LISTENER_BIND"]);
    expect(refused).toHaveLength(1);
  });

  test("do not meet listeners that exchange their ports", async () => {
    await apply("cluster", { viewer: staticClusterJson("viewer", 6004) });
    await apply("listener", { a: listenerJson("a", 5004), b: listenerJson("b", 5006) });
    takenPorts.add(5004).add(5006);
    const exchanged = { a: listenerJson("a", 5006), b: listenerJson("b", 5004) };
    expect(await apply("listener", exchanged, { version: "2" })).toEqual([]);
    expect(ports()).toEqual([5006, 5004]);
  });

  test("meet the second of two listeners with one address", async () => {
    const both = { a: listenerJson("a", 5004), b: listenerJson("b", 5004) };
    expect(await apply("listener", both)).toEqual(["b: MSM_LISTENER_DUPLICATE_ADDRESS"]);
    const free = { a: listenerJson("a", 0), b: listenerJson("b", 0) };
    expect(await apply("listener", free)).toEqual([]);
  });

  test("give a listener that is put back its address, before one that came for it", async () => {
    await apply("cluster", { viewer: staticClusterJson("viewer", 6004) });
    await apply("listener", { a: listenerJson("a", 5004), c: listenerJson("c", 5006) });
    const refused = await apply(
      "listener",
      { a: listenerJson("a", 5006), b: listenerJson("b", 5004) },
      { version: "2" },
    );
    expect(refused).toEqual(["a: MSM_LISTENER_DUPLICATE_ADDRESS", "b: MSM_LISTENER_DUPLICATE_ADDRESS"]);
    expect(ports()).toEqual([5004, 5006]);
  });

  test("leave the last good filter at work", async () => {
    await apply("cluster", { viewer: staticClusterJson("viewer", 6004) });
    await apply("listener", {
      a: listenerJson("a", 5004, { udpProxy: { session_filters: [discoveredFilter("f")] } }),
    });
    await apply("typedExtensionConfig", { f: ecdsJson("f") });
    const before = datapath.plan;
    expect(await apply("typedExtensionConfig", { f: ecdsJson("f", pluginJson({}, "nope")) })).toEqual([
      "f: MSM_FILTER_BUILTIN",
    ]);
    expect(datapath.plan).toBe(before);
  });

  test("name a fault of the proxy itself as such, and media goes on", async () => {
    await apply("cluster", { viewer: staticClusterJson("viewer", 6004) });
    await apply("listener", { a: listenerJson("a", 5004) });
    const fault = new TypeError("cannot read properties of undefined");
    const checkFilter = () => {
      throw fault;
    };
    const loader = new FilterLoader({ ...fakeFilterHost, checkFilter }, builtins);
    const faulty = new ConfigStore({
      loader,
      applyPlan: (plan) => datapath.apply(plan),
      probeAddress: async () => {},
    });
    const inline = { udpProxy: { session_filters: [{ name: "f", typed_config: pluginJson() }] } };
    const added = [resource("b", listenerJson("b", 5006, inline))];
    const rejections = await faulty.apply({ type: "listener", added, removed: [] });
    expect(rejections).toMatchObject([{ name: "b", error: { code: "MSM_CONFIG_FAULT" } }]);
    expect(ports()).toEqual([5004]);
  });

  test("protect what the bootstrap file has", async () => {
    const own = { ...resource("viewer", staticClusterJson("viewer", 6004), ""), isStatic: true };
    await store.apply({ type: "cluster", added: [own], removed: [] });
    expect(await apply("cluster", { viewer: staticClusterJson("viewer", 1) })).toEqual([
      "viewer: MSM_XDS_STATIC",
    ]);
    await apply("cluster", {}, { removed: ["viewer"] });
    expect(store.tables.cluster.get("viewer")?.isStatic).toBe(true);
  });
});

describe("removals", () => {
  test("of a cluster that a listener still names take effect when the listener changes", async () => {
    await apply("cluster", { viewer: staticClusterJson("viewer", 6004) });
    await apply("listener", { a: listenerJson("a", 5004) });
    await apply("cluster", { other: staticClusterJson("other", 6006) }, { removed: ["viewer"] });
    expect(datapath.plan.clusters.map(({ name }) => name).sort()).toEqual(["other", "viewer"]);
    await apply("listener", { a: listenerJson("a", 5004, { cluster: "other" }) }, { version: "2" });
    expect(datapath.plan.clusters.map(({ name }) => name)).toEqual(["other"]);
  });

  test("of a cluster are final for listeners that come later", async () => {
    await apply("cluster", { viewer: staticClusterJson("viewer", 6004) });
    await apply("listener", { a: listenerJson("a", 5004) });
    await apply("cluster", {}, { removed: ["viewer"] });
    await apply("listener", { b: listenerJson("b", 5006) });
    expect(isWarming("b")).toEqual(["cluster viewer"]);
    expect(ports()).toEqual([5004]);
  });

  test("of a filter leave listeners with the last one", async () => {
    await apply("cluster", { viewer: staticClusterJson("viewer", 6004) });
    await apply("listener", {
      a: listenerJson("a", 5004, { udpProxy: { session_filters: [discoveredFilter("f")] } }),
    });
    await apply("typedExtensionConfig", { f: ecdsJson("f") });
    await apply("typedExtensionConfig", {}, { removed: ["f"] });
    expect(datapath.plan.listeners[0]?.filters.map(({ name }) => name)).toEqual(["f"]);
  });

  test("of a listener close it, and forget what only it needed", async () => {
    await apply("cluster", { viewer: edsClusterJson("viewer") });
    await apply("clusterLoadAssignment", { viewer: assignmentJson("viewer", [6004]) });
    await apply("listener", {
      a: listenerJson("a", 5004, { udpProxy: { session_filters: [discoveredFilter("f")] } }),
    });
    await apply("typedExtensionConfig", { f: ecdsJson("f") });
    await apply("listener", {}, { removed: ["a"] });
    expect(datapath.plan.listeners).toEqual([]);
    expect(store.tables.typedExtensionConfig.names()).toEqual([]);
    await apply("cluster", {}, { removed: ["viewer"] });
    expect(store.tables.clusterLoadAssignment.names()).toEqual([]);
    expect(datapath.plan.clusters).toEqual([]);
  });
});

describe("sameness", () => {
  test("a resource that is sent again unchanged disturbs nothing: the datapath is not even asked", async () => {
    await apply("cluster", { viewer: staticClusterJson("viewer", 6004) });
    await apply("listener", { a: listenerJson("a", 5004) });
    const count = datapath.plans.length;
    expect(await apply("listener", { a: listenerJson("a", 5004) })).toEqual([]);
    expect(datapath.plans).toHaveLength(count);
  });

  test("a change of one listener or cluster leaves the others the same objects", async () => {
    await apply("cluster", { viewer: staticClusterJson("viewer", 6004), other: edsClusterJson("other") });
    await apply("listener", { a: listenerJson("a", 5004), b: listenerJson("b", 5006) });
    const before = datapath.plan;
    await apply("clusterLoadAssignment", { other: assignmentJson("other", [7000]) });
    expect(datapath.plan.listeners).toHaveLength(2);
    for (const [i, listener] of datapath.plan.listeners.entries()) expect(listener).toBe(before.listeners[i]);
    expect(datapath.plan.clusters.find(({ name }) => name === "viewer")).toBe(before.clusters[0]);
  });
});

describe("signalling", () => {
  const signalling = () => datapath.plan.signalling ?? [];

  test("a listener waits for its routes, follows them, and keeps them when they go", async () => {
    await apply("listener", { a: signallingJson("a", 554) });
    expect(isWarming("a")).toEqual(["routes edge"]);
    expect([...store.routeNames()]).toEqual(["edge"]);
    await apply("routeConfiguration", { edge: routesJson("edge") });
    expect(isWarming("a")).toBeUndefined();
    expect(signalling()).toMatchObject([{ name: "a", address: { port: 554 }, routes: { name: "edge" } }]);
    const [before] = signalling();
    await apply("cluster", { cams: staticClusterJson("cams", 8554) });
    expect(signalling()[0]).toBe(before);
    await apply("routeConfiguration", { edge: routesJson("edge", []) }, { version: "2" });
    expect(signalling()).toMatchObject([{ routes: { hosts: [{ routes: [] }] } }]);
    await apply("routeConfiguration", {}, { removed: ["edge"] });
    expect(signalling()).toHaveLength(1);
    await apply("listener", {}, { removed: ["a"] });
    expect(signalling()).toEqual([]);
    expect([...store.routeNames()]).toEqual([]);
  });

  test("routes that are refused leave the last good ones in force", async () => {
    await apply("listener", { a: signallingJson("a", 554) });
    await apply("routeConfiguration", { edge: routesJson("edge") });
    const bad = routesJson("edge", [routeJson("c", { match: { safe_regex: { regex: "(" }, prefix: "/" } })]);
    const [host] = bad.virtual_hosts as unknown as [{ routes: { match: Record<string, unknown> }[] }];
    delete host.routes[0]?.match.prefix;
    expect(await apply("routeConfiguration", { edge: bad }, { version: "2" })).toEqual([
      "edge: MSM_ROUTE_REGEX",
    ]);
    expect(signalling()).toMatchObject([{ routes: { hosts: [{ routes: [{}] }] } }]);
  });

  test("a cluster that goes stays as long as routes name it", async () => {
    await apply("cluster", { cams: staticClusterJson("cams", 8554) });
    await apply("listener", { a: signallingJson("a", 554) });
    await apply("routeConfiguration", { edge: routesJson("edge") });
    await apply("cluster", {}, { removed: ["cams"] });
    expect(datapath.plan.clusters).toMatchObject([{ name: "cams" }]);
    await apply("routeConfiguration", { edge: routesJson("edge", []) }, { version: "2" });
    expect(datapath.plan.clusters).toEqual([]);
  });

  test("a TCP and a UDP listener may have one port, two TCP listeners may not", async () => {
    await apply("cluster", { viewer: staticClusterJson("viewer", 6004) });
    expect(await apply("listener", { u: listenerJson("u", 554), a: signallingJson("a", 554) })).toEqual([]);
    expect(await apply("listener", { b: signallingJson("b", 554) })).toEqual([
      "b: MSM_LISTENER_DUPLICATE_ADDRESS",
    ]);
  });
});
