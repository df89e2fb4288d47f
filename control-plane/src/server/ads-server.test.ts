// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { credentials, logVerbosity, setLogVerbosity, status } from "@grpc/grpc-js";
import { createClient, typeUrls } from "@msm/xds-protos";
import { AggregatedDiscoveryService } from "@msm/xds-protos/envoy/service/discovery/v3/ads_pb.js";
import { expect, onTestFinished, test } from "vitest";
import { silentLogger } from "../logger.ts";
import { SnapshotCache } from "../snapshot/snapshot-cache.ts";
import { ProxyRegistry } from "../status/proxy-registry.ts";
import { DeltaClient } from "../testing/delta-client.ts";
import { snapshotOf } from "../testing/test-snapshot.ts";
import { waitUntil } from "../testing/wait-until.ts";
import { startAdsServer } from "./ads-server.ts";

// The port that is taken on purpose below is no news.
setLogVerbosity(logVerbosity.NONE);

async function serve() {
  const cache = new SnapshotCache();
  const proxies = new ProxyRegistry();
  const options = {
    address: "127.0.0.1:0",
    cache,
    observer: proxies,
    stallTimeoutMs: 30_000,
    logger: silentLogger,
  };
  const server = await startAdsServer(options);
  onTestFinished(() => server.close());
  const connect = (nodeId: string): DeltaClient => {
    const client = new DeltaClient(server.address, nodeId);
    onTestFinished(() => client.close());
    client.send({ typeUrl: typeUrls.cluster });
    return client;
  };
  return { server, cache, proxies, connect };
}

test("7: a stream that the client half-closes ends well and is forgotten", async () => {
  const { cache, proxies, connect } = await serve();
  cache.set("mesh", snapshotOf({ cds: ["a"] }));
  const client = connect("n1");
  await waitUntil(() => client.names(typeUrls.cluster).length === 1);
  expect(proxies.size).toBe(1);
  client.close();
  await waitUntil(() => client.endedWith?.code === status.OK);
  await waitUntil(() => proxies.size === 0);
});

test("12: two streams of one node are independent", async () => {
  const { cache, proxies, connect } = await serve();
  cache.set("mesh", snapshotOf({ cds: ["a"] }));
  const [old, fresh] = [connect("n1"), connect("n1")];
  await waitUntil(() => old.responses.length === 1 && fresh.responses.length === 1);
  old.close();
  await waitUntil(() => proxies.size === 1);
  cache.set("mesh", snapshotOf({ cds: ["a", "b"] }));
  await waitUntil(() => fresh.names(typeUrls.cluster).length === 2);
});

test("93: many quick changes reach the proxy as few responses, the last one among them", async () => {
  const { cache, connect } = await serve();
  const client = connect("n1");
  cache.set("mesh", snapshotOf({ cds: ["a"] }));
  await waitUntil(() => client.responses.length > 0);
  for (let content = 2; content <= 200; content++) cache.set("mesh", snapshotOf({ cds: [`a=${content}`] }));
  cache.set("mesh", snapshotOf({ cds: ["last"] }));
  await waitUntil(() => client.names(typeUrls.cluster).includes("last"));
  expect(client.responses.length).toBeLessThan(6);
});

test("101: bytes that are no request end their own stream and no other", async () => {
  const { server, cache, connect } = await serve();
  const healthy = connect("healthy");
  const client = createClient(AggregatedDiscoveryService, server.address, credentials.createInsecure());
  const call = client.deltaAggregatedResources();
  onTestFinished(() => client.close());
  const ended = new Promise<number>((resolve) => {
    call.on("error", (error) => resolve((error as unknown as { code: number }).code));
  });
  call.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
  expect([status.INTERNAL, status.INVALID_ARGUMENT]).toContain(await ended);
  cache.set("mesh", snapshotOf({ cds: ["a"] }));
  await waitUntil(() => healthy.names(typeUrls.cluster).length === 1);
});

test("11: a request without a node ends its stream with INVALID_ARGUMENT", async () => {
  const { server } = await serve();
  const client = new DeltaClient(server.address, "");
  onTestFinished(() => client.close());
  client.send({ typeUrl: typeUrls.cluster });
  const { code, details } = await waitUntil(() => client.endedWith);
  expect(code).toBe(status.INVALID_ARGUMENT);
  expect(details).toBe("missing node information: node.id");
});

test("says which address it cannot listen on", async () => {
  const { server, cache, proxies } = await serve();
  const options = { cache, observer: proxies, stallTimeoutMs: 1, logger: silentLogger };
  await expect(startAdsServer({ ...options, address: server.address })).rejects.toThrow(
    `cannot listen on ${server.address} for xDS`,
  );
});
