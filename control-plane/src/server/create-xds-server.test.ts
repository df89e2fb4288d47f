// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { credentials, logVerbosity, Metadata, setLogVerbosity, status } from "@grpc/grpc-js";
import { create, createClient, typeUrls } from "@msm/xds-protos";
import { ClusterDiscoveryService } from "@msm/xds-protos/envoy/service/cluster/v3/cds_pb.js";
import { AggregatedDiscoveryService } from "@msm/xds-protos/envoy/service/discovery/v3/ads_pb.js";
import {
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
} from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { expect, onTestFinished, test } from "vitest";
import { SnapshotCache } from "../snapshot/snapshot-cache.ts";
import { DeltaClient } from "../testing/delta-client.ts";
import { SotwClient, type SotwClientOptions } from "../testing/sotw-client.ts";
import { snapshotOf } from "../testing/test-snapshot.ts";
import { waitUntil } from "../testing/wait-until.ts";
import { createXdsServer } from "./create-xds-server.ts";
import { discoveryServices, variantOf } from "./discovery-services.ts";
import type { XdsServerOptions } from "./xds-server-options.ts";

// The port that is taken on purpose below is no news.
setLogVerbosity(logVerbosity.NONE);

const listeners = [{ address: "127.0.0.1:0" }];

async function serve(options: Partial<XdsServerOptions> = {}) {
  const cache = new SnapshotCache();
  const server = await createXdsServer({ cache, listeners, ...options });
  const address = server.addresses[0]!;
  onTestFinished(() => server.close());
  const connect = (nodeId: string): DeltaClient => {
    const client = new DeltaClient(address, nodeId);
    onTestFinished(() => client.close());
    client.send({ typeUrl: typeUrls.cluster });
    return client;
  };
  const connectSotw = (clientOptions: SotwClientOptions = {}): SotwClient => {
    const client = new SotwClient(address, clientOptions);
    onTestFinished(() => client.close());
    return client;
  };
  return { server, address, cache, proxies: server.proxies, connect, connectSotw };
}

test("7: a stream that the client half-closes ends well and is forgotten", async () => {
  const { cache, proxies, connect } = await serve();
  cache.set("default", snapshotOf({ cds: ["a"] }));
  const client = connect("n1");
  await waitUntil(() => client.names(typeUrls.cluster).length === 1);
  expect(proxies.size).toBe(1);
  client.close();
  await waitUntil(() => client.endedWith?.code === status.OK);
  await waitUntil(() => proxies.size === 0);
});

test("8: streams that clients reset are forgotten, however many", async () => {
  const { cache, proxies, connectSotw } = await serve();
  cache.set("default", snapshotOf({ cds: ["a"] }));
  for (let cycle = 0; cycle < 20; cycle++) {
    const client = connectSotw();
    client.send({ typeUrl: typeUrls.cluster, node: { id: `n${cycle}` } });
    await waitUntil(() => client.responses.length === 1);
    client.cancel();
  }
  await waitUntil(() => proxies.size === 0);
});

test("9: a server that closes ends its streams with UNAVAILABLE and sends nothing more", async () => {
  const { server, cache, connect } = await serve();
  cache.set("default", snapshotOf({ cds: ["a"] }));
  const client = connect("n1");
  await waitUntil(() => client.responses.length === 1);
  const closed = server.close();
  cache.set("default", snapshotOf({ cds: ["b"] }));
  await closed;
  await waitUntil(() => client.endedWith?.code === status.UNAVAILABLE);
  expect(client.responses).toHaveLength(1);
});

test("11: whoever may not connect is told at once, whoever may not be a node when it says so", async () => {
  let isOpen = false;
  const { connectSotw } = await serve({
    authorize: (_peer, node) => {
      if (!isOpen) return { status: "UNAUTHENTICATED", message: "not today" };
      return node?.id === "intruder" ? { status: "PERMISSION_DENIED", message: "not you" } : undefined;
    },
  });
  const early = connectSotw();
  await waitUntil(() => early.endedWith?.code === status.UNAUTHENTICATED);
  isOpen = true;
  const intruder = connectSotw();
  intruder.send({ typeUrl: typeUrls.cluster, node: { id: "intruder" } });
  expect(await waitUntil(() => intruder.endedWith)).toEqual({
    code: status.PERMISSION_DENIED,
    details: "not you",
  });
});

test("12: two streams of one node are independent", async () => {
  const { cache, proxies, connect } = await serve();
  cache.set("default", snapshotOf({ cds: ["a"] }));
  const [old, fresh] = [connect("n1"), connect("n1")];
  await waitUntil(() => old.responses.length === 1 && fresh.responses.length === 1);
  old.close();
  await waitUntil(() => proxies.size === 1);
  cache.set("default", snapshotOf({ cds: ["a", "b"] }));
  await waitUntil(() => fresh.names(typeUrls.cluster).length === 2);
});

test("14: a server that is not ready sends clients elsewhere, and serves them once it is", async () => {
  let isReady = false;
  const { cache, connect } = await serve({ isReady: () => isReady });
  cache.set("default", snapshotOf({ cds: ["a"] }));
  const early = connect("n1");
  await waitUntil(() => early.endedWith?.code === status.UNAVAILABLE);
  isReady = true;
  const late = connect("n1");
  await waitUntil(() => late.responses.length === 1);
});

test("5: the services for one type fill in the type, in both variants, and refuse another", async () => {
  const { cache, address, connectSotw } = await serve();
  cache.set(
    "default",
    snapshotOf({ cds: ["a"], lds: ["a"], eds: ["a"], rds: ["a"], sds: ["a"], ecds: ["a"] }),
  );
  for (const { service, typeUrl } of discoveryServices) {
    if (typeUrl === undefined || !Object.values(typeUrls).some((known) => known === typeUrl)) continue;
    const method = service.methods.find((each) => variantOf(each) === "sotw")!;
    const client = connectSotw({ service: [service, method.localName] });
    client.send({ node: { id: "n1" }, resourceNames: ["a"] });
    if (typeUrl === typeUrls.runtime) continue;
    await waitUntil(() => client.newest?.typeUrl === typeUrl);
    client.send({ typeUrl: "type.googleapis.com/other.Type" });
    await waitUntil(() => client.endedWith?.code === status.INVALID_ARGUMENT);
  }
  const client = createClient(ClusterDiscoveryService, address, credentials.createInsecure());
  onTestFinished(() => client.close());
  const call = client.deltaClusters();
  call.on("error", () => {});
  const first = new Promise<{ typeUrl: string }>((resolve) => call.once("data", resolve));
  call.write(create(DeltaDiscoveryRequestSchema, { node: { id: "n1" } }));
  expect((await first).typeUrl).toBe(typeUrls.cluster);
  call.end();
});

test("45: many streams of one node with a type each are served like one stream with all", async () => {
  const { cache, connectSotw } = await serve();
  cache.set("default", snapshotOf({ cds: ["a"], eds: ["a", "b"], lds: ["a"] }));
  const all = connectSotw();
  all.send({ typeUrl: typeUrls.clusterLoadAssignment, node: { id: "n1" }, resourceNames: ["a", "b"] });
  await waitUntil(() => all.newest?.resources.length === 2);
  for (const name of ["a", "b"]) {
    const alone = connectSotw();
    alone.send({ typeUrl: typeUrls.clusterLoadAssignment, node: { id: "n1" }, resourceNames: [name] });
    await waitUntil(() => alone.newest?.resources.length === 1);
  }
});

test("93: many quick changes reach the proxy as few responses, the last one among them", async () => {
  const { cache, connect } = await serve();
  const client = connect("n1");
  cache.set("default", snapshotOf({ cds: ["a"] }));
  await waitUntil(() => client.responses.length > 0);
  for (let content = 2; content <= 200; content++)
    cache.set("default", snapshotOf({ cds: [`a=${content}`] }));
  cache.set("default", snapshotOf({ cds: ["last"] }));
  await waitUntil(() => client.names(typeUrls.cluster).includes("last"));
  expect(client.responses.length).toBeLessThan(6);
});

test("95: streams beyond the rate wait and are served; beyond those that may wait they are refused", async () => {
  const accept = { perSecond: 20, burst: 1, maxWaiting: 2 };
  const { cache, connect } = await serve({ accept });
  cache.set("default", snapshotOf({ cds: ["a"] }));
  const clients = Array.from({ length: 8 }, (_, index) => connect(`n${index}`));
  const served = () => clients.filter(({ responses }) => responses.length === 1).length;
  const refused = () =>
    clients.filter(({ endedWith }) => endedWith?.code === status.RESOURCE_EXHAUSTED).length;
  await waitUntil(() => served() + refused() === 8);
  expect(served()).toBeGreaterThanOrEqual(3);
  expect(refused()).toBeGreaterThan(0);
});

test("a peer has no more streams than its limit, and gets new ones as old ones end", async () => {
  const { cache, connect } = await serve({ maxStreamsPerPeer: 2 });
  cache.set("default", snapshotOf({ cds: ["a"] }));
  const first = connect("n1");
  const second = connect("n2");
  await waitUntil(() => first.responses.length + second.responses.length === 2);
  const third = connect("n3");
  expect((await waitUntil(() => third.endedWith)).details).toContain("has 2 streams open already");
  first.close();
  await waitUntil(() => first.endedWith);
  const fourth = connect("n4");
  await waitUntil(() => fourth.responses.length === 1);
});

test("96: connections are told to go at their age, and streams end: the client comes back and has everything", async () => {
  const { cache, connect } = await serve({ maxConnectionAgeMs: 100 });
  cache.set("default", snapshotOf({ cds: ["a"] }));
  const client = connect("n1");
  await waitUntil(() => client.endedWith?.code === status.UNAVAILABLE);
  expect(client.names(typeUrls.cluster)).toEqual(["a"]);
  const again = connect("n1");
  await waitUntil(() => again.names(typeUrls.cluster).length === 1);
});

test("101: bytes that are no request end their own stream and no other", async () => {
  const { address, cache, connect } = await serve();
  const healthy = connect("healthy");
  const client = createClient(AggregatedDiscoveryService, address, credentials.createInsecure());
  const call = client.deltaAggregatedResources();
  onTestFinished(() => client.close());
  const ended = new Promise<number>((resolve) => {
    call.on("error", (error) => resolve((error as unknown as { code: number }).code));
  });
  call.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
  expect([status.INTERNAL, status.INVALID_ARGUMENT]).toContain(await ended);
  cache.set("default", snapshotOf({ cds: ["a"] }));
  await waitUntil(() => healthy.names(typeUrls.cluster).length === 1);
});

test("3: a request without a node ends its stream with INVALID_ARGUMENT", async () => {
  const { connect } = await serve();
  const client = connect("");
  const { code, details } = await waitUntil(() => client.endedWith);
  expect(code).toBe(status.INVALID_ARGUMENT);
  expect(details).toBe("missing node information: node.id");
});

test("100: a fetch over gRPC answers what a new stream would be sent first, or NOT_FOUND", async () => {
  const { cache, address } = await serve();
  cache.set("default", snapshotOf({ cds: ["a"] }));
  const client = createClient(ClusterDiscoveryService, address, credentials.createInsecure());
  onTestFinished(() => client.close());
  const fetchOf = (fields: object) =>
    new Promise<{ code: number; names: number }>((resolve) => {
      client.fetchClusters(create(DiscoveryRequestSchema, fields), new Metadata(), {}, (error, response) =>
        resolve({ code: error?.code ?? 0, names: response?.resources.length ?? 0 }),
      );
    });
  expect(await fetchOf({ node: { id: "n1" } })).toEqual({ code: status.OK, names: 1 });
  expect(await fetchOf({})).toEqual({ code: status.INVALID_ARGUMENT, names: 0 });
  cache.clear("default");
  expect(await fetchOf({ node: { id: "n1" } })).toEqual({ code: status.NOT_FOUND, names: 0 });
});

test("says which address it cannot listen on", async () => {
  const { address, cache } = await serve();
  await expect(createXdsServer({ cache, listeners: [{ address }] })).rejects.toThrow(
    `cannot listen on ${address} for xDS`,
  );
});
