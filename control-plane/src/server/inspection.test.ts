// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { credentials, Metadata, status } from "@grpc/grpc-js";
import {
  create,
  createClient,
  fromBinary,
  type MessageInitShape,
  toBinary,
  typeUrls,
  unpackAny,
} from "@msm/xds-protos";
import {
  type ClientConfig,
  ClientStatusDiscoveryService,
  ClientStatusRequestSchema,
  ConfigStatus,
} from "@msm/xds-protos/envoy/service/status/v3/csds_pb.js";
import {
  Health,
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Serving,
} from "@msm/xds-protos/grpc/health/v1/health_pb.js";
import {
  ServerReflection,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
} from "@msm/xds-protos/grpc/reflection/v1/reflection_pb.js";
import { ServerReflection as ServerReflectionAlpha } from "@msm/xds-protos/grpc/reflection/v1alpha/reflection_pb.js";
import { expect, onTestFinished, test } from "vitest";
import { SnapshotCache } from "../snapshot/snapshot-cache.ts";
import { SotwClient } from "../testing/sotw-client.ts";
import { snapshotOf } from "../testing/test-snapshot.ts";
import { waitUntil } from "../testing/wait-until.ts";
import { createXdsServer } from "./create-xds-server.ts";

const insecure = credentials.createInsecure();
const NODE_ID = "sidecar~10.0.0.1~cam-1.media~media.svc.cluster.local";
const identifier = JSON.stringify({ Component: "msm-control-plane", ID: "cp-1", Info: { version: "1" } });

async function serve() {
  const cache = new SnapshotCache();
  const server = await createXdsServer({ cache, identifier, listeners: [{ address: "127.0.0.1:0" }] });
  onTestFinished(() => server.close());
  const address = server.addresses[0]!;
  const connect = (): SotwClient => {
    const client = new SotwClient(address);
    onTestFinished(() => client.close());
    return client;
  };
  return { cache, address, connect };
}

function closing<Client extends { close(): void }>(client: Client): Client {
  onTestFinished(() => client.close());
  return client;
}

function statusOf(address: string) {
  const client = closing(createClient(ClientStatusDiscoveryService, address, insecure));
  return (
    fields: MessageInitShape<typeof ClientStatusRequestSchema> = {},
  ): Promise<readonly ClientConfig[]> =>
    new Promise((resolve, reject) => {
      const request = create(ClientStatusRequestSchema, fields);
      client.fetchClientStatus(request, new Metadata(), {}, (error, response) =>
        error === null ? resolve(response!.config) : reject(error),
      );
    });
}

const states = (configs: readonly ClientConfig[]): Record<string, string> =>
  Object.fromEntries(
    configs[0]!.genericXdsConfigs.map(({ typeUrl, name, configStatus }) => [
      `${typeUrl.slice(typeUrl.lastIndexOf(".") + 1)} ${name}`,
      ConfigStatus[configStatus],
    ]),
  );

test("103: CSDS says of each node and type what was sent, taken, refused and never sent", async () => {
  const { cache, address, connect } = await serve();
  cache.set("default", snapshotOf({ cds: ["a"], lds: ["l"], sds: ["key"] }));
  const fetchStatus = statusOf(address);
  const client = connect();
  client.send({ typeUrl: typeUrls.cluster, node: { id: NODE_ID } });
  client.send({ typeUrl: typeUrls.runtime });
  await waitUntil(() => client.responses.length === 1);
  await waitUntil(async () => (await fetchStatus())[0]?.genericXdsConfigs.length === 2);
  expect(states(await fetchStatus())).toEqual({ "Cluster a": "STALE", "Runtime ": "NOT_SENT" });
  client.ack();
  client.send({ typeUrl: typeUrls.listener });
  await waitUntil(() => client.newest?.typeUrl === typeUrls.listener);
  client.ack({ errorDetail: { code: 3, message: "l: no such filter" } });
  const expected = { "Cluster a": "SYNCED", "Listener l": "ERROR", "Runtime ": "NOT_SENT" };
  const configs = await waitUntil(async () => {
    const found = await fetchStatus();
    return states(found)["Listener l"] === "ERROR" && found;
  });
  expect(states(configs)).toEqual(expected);
  const [cluster, , listener] = ["Cluster", "Runtime", "Listener"].map((type) =>
    configs[0]!.genericXdsConfigs.find(({ typeUrl }) => typeUrl.endsWith(`.${type}`)),
  );
  expect(unpackAny(cluster!.xdsConfig!)).toMatchObject({ name: "a" });
  expect(listener!.errorState?.details).toBe("l: no such filter");
  const bare = await fetchStatus({ excludeResourceContents: true });
  expect(bare[0]!.genericXdsConfigs.every(({ xdsConfig }) => xdsConfig === undefined)).toBe(true);
});

test("103: CSDS answers on a stream, and for the nodes that are asked for", async () => {
  const { cache, address, connect } = await serve();
  cache.set("default", snapshotOf({ cds: ["a"] }));
  for (const id of ["edge-1", "core-1"]) connect().send({ typeUrl: typeUrls.cluster, node: { id } });
  const fetchStatus = statusOf(address);
  await waitUntil(async () => (await fetchStatus()).length === 2);
  const matching = async (matchPattern: {
    case: "exact" | "prefix" | "suffix" | "contains";
    value: string;
  }) => (await fetchStatus({ nodeMatchers: [{ nodeId: { matchPattern } }] })).map(({ node }) => node?.id);
  expect(await matching({ case: "exact", value: "edge-1" })).toEqual(["edge-1"]);
  expect(await matching({ case: "prefix", value: "co" })).toEqual(["core-1"]);
  expect(await matching({ case: "suffix", value: "-1" })).toHaveLength(2);
  const regex = { nodeId: { matchPattern: { case: "safeRegex", value: { regex: "a" } } } } as const;
  await expect(fetchStatus({ nodeMatchers: [regex] })).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
  const call = createClient(ClientStatusDiscoveryService, address, insecure).streamClientStatus();
  const first = new Promise<{ config: ClientConfig[] }>((resolve) => call.once("data", resolve));
  call.write(create(ClientStatusRequestSchema));
  expect((await first).config).toHaveLength(2);
  call.end();
});

test("28: an ACK after a refusal turns ERROR into SYNCED", async () => {
  const { cache, address, connect } = await serve();
  const fetchStatus = statusOf(address);
  cache.set("default", snapshotOf({ cds: ["a"] }));
  const client = connect();
  client.send({ typeUrl: typeUrls.cluster, node: { id: "n1" } });
  await waitUntil(() => client.responses.length === 1);
  client.ack({ errorDetail: { code: 3, message: "no" } });
  await waitUntil(async () => states(await fetchStatus())["Cluster a"] === "ERROR");
  cache.set("default", snapshotOf({ cds: ["a=2"] }));
  await waitUntil(() => client.responses.length === 2);
  client.ack();
  await waitUntil(async () => states(await fetchStatus())["Cluster a"] === "SYNCED");
});

test("a secret is never shown: not in CSDS, not in a dump", async () => {
  const { cache, address, connect } = await serve();
  cache.set("default", snapshotOf({ sds: ["key=7"] }));
  const client = connect();
  client.send({ typeUrl: typeUrls.secret, node: { id: "n1" }, resourceNames: ["key"] });
  await waitUntil(() => client.responses.length === 1);
  expect(Buffer.from(client.newest!.resources[0]!.value).toString()).toContain("password 7");
  const [config] = await statusOf(address)();
  expect(config!.genericXdsConfigs).toMatchObject([{ name: "key" }]);
  expect(config!.genericXdsConfigs[0]!.xdsConfig).toBeUndefined();
  const debug = connect();
  debug.send({ typeUrl: "istio.io/debug/config_dump", resourceNames: ["n1"] });
  const dump = await waitUntil(() => debug.newest);
  const bytes = Buffer.concat(dump.resources.map(({ value }) => value)).toString();
  expect(bytes).toContain("key");
  expect(bytes).not.toContain("password");
});

test("104: istio.io/debug/syncz on ADS says of each proxy and type how far it is, as istioctl reads it", async () => {
  const { cache, connect } = await serve();
  cache.set("default", snapshotOf({ cds: ["a"], lds: ["l"] }));
  const client = connect();
  const metadata = { NAMESPACE: "media", CLUSTER_ID: "c1", ISTIO_VERSION: "1.24", OTHER: "x" };
  client.send({ typeUrl: typeUrls.cluster, node: { id: NODE_ID, metadata } });
  await waitUntil(() => client.responses.length === 1);
  client.ack();
  client.send({ typeUrl: typeUrls.listener });
  await waitUntil(() => client.responses.length === 2);
  const istioctl = connect();
  // The tool puts the time of day where a nonce belongs.
  const responseNonce = "2026-11-23 06:24:55.123 +0000 UTC";
  const node = { id: "sidecar~1.1.1.1~test-1.a~a.svc" };
  istioctl.send({ typeUrl: "istio.io/debug/syncz", node, responseNonce });
  const response = await waitUntil(() => istioctl.newest);
  expect(response).toMatchObject({ typeUrl: "istio.io/debug/syncz", controlPlane: { identifier } });
  const configs = response.resources.map((any) => unpackAny(any) as ClientConfig);
  // istioctl itself is no proxy.
  expect(configs).toHaveLength(1);
  expect(configs[0]!.node).toMatchObject({
    id: "cam-1.media",
    metadata: { NAMESPACE: "media", CLUSTER_ID: "c1", ISTIO_VERSION: "1.24" },
  });
  expect(states(configs)).toEqual({ "Cluster ": "SYNCED", "Listener ": "STALE" });
  istioctl.ack();
});

test("104: istio.io/debug/config_dump on ADS has the sections that a proxy is served; istio.io/debug is JSON", async () => {
  const { cache, connect } = await serve();
  cache.set("default", snapshotOf({ cds: ["a"], lds: ["l"] }));
  const client = connect();
  client.send({ typeUrl: typeUrls.cluster, node: { id: NODE_ID } });
  await waitUntil(() => client.responses.length === 1);
  const istioctl = connect();
  istioctl.send({ typeUrl: "istio.io/debug/config_dump", resourceNames: ["cam-1.media"] });
  const dump = await waitUntil(() => istioctl.newest);
  expect(dump.resources.map(({ typeUrl }) => typeUrl.slice(typeUrl.lastIndexOf(".") + 1))).toContain(
    "ListenersConfigDump",
  );
  const ask = async (question: string): Promise<unknown> => {
    const asking = connect();
    asking.send({ typeUrl: "istio.io/debug", resourceNames: [question] });
    const { resources } = await waitUntil(() => asking.newest);
    expect(resources[0]!.typeUrl).toBe("istio.io/debug");
    return JSON.parse(Buffer.from(resources[0]!.value).toString());
  };
  expect(await ask("syncz")).toMatchObject([{ node: { id: "cam-1.media" } }]);
  expect(await ask("connections")).toMatchObject({ totalClients: 1 });
  expect(await ask("config_dump?proxyID=cam-1.media")).toHaveProperty("configs.0.@type");
  expect(await ask("nonsense")).toHaveProperty("error");
});

test("answers gRPC health checks for the server and each of its services, and tells watchers of changes", async () => {
  const { cache, address } = await serve();
  const client = closing(createClient(Health, address, insecure));
  const check = (service: string): Promise<Serving | number> =>
    new Promise((resolve) => {
      const request = create(HealthCheckRequestSchema, { service });
      client.check(request, new Metadata(), {}, (error, response) =>
        resolve(error?.code ?? response!.status),
      );
    });
  const seen: Serving[] = [];
  const watch = client.watch(create(HealthCheckRequestSchema));
  watch.on("data", (response: HealthCheckResponse) => seen.push(response.status));
  watch.on("error", () => {});
  await waitUntil(() => seen.length === 1);
  expect(await check("")).toBe(Serving.NOT_SERVING);
  cache.set("default", snapshotOf({}));
  expect(await check("envoy.service.discovery.v3.AggregatedDiscoveryService")).toBe(Serving.SERVING);
  expect(await check("no.Such")).toBe(status.NOT_FOUND);
  await waitUntil(() => seen.length === 2);
  expect(seen).toEqual([Serving.NOT_SERVING, Serving.SERVING]);
  watch.cancel();
});

test.each([
  ["v1", ServerReflection],
  ["v1alpha", ServerReflectionAlpha],
])("describes its services by reflection %s, with all that their files import", async (_version, service) => {
  const { address } = await serve();
  const client = closing(createClient(service as typeof ServerReflection, address, insecure));
  const call = client.serverReflectionInfo();
  const answers: ServerReflectionResponse[] = [];
  call.on("data", (response: ServerReflectionResponse) => answers.push(response));
  const ask = async (messageRequest: object) => {
    const before = answers.length;
    const request = create(ServerReflectionRequestSchema, { messageRequest } as never);
    call.write(toBinary(ServerReflectionRequestSchema, request));
    return (await waitUntil(() => answers[before])).messageResponse;
  };
  const ads = "envoy.service.discovery.v3.AggregatedDiscoveryService";
  const list = await ask({ case: "listServices", value: "" });
  expect(list.case === "listServicesResponse" && list.value.service.map(({ name }) => name)).toContain(ads);
  const found = await ask({ case: "fileContainingSymbol", value: `${ads}.StreamAggregatedResources` });
  const files =
    found.case === "fileDescriptorResponse"
      ? found.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes))
      : [];
  const names = new Set(files.map(({ name }) => name));
  expect(files[0]!.name).toBe("envoy/service/discovery/v3/ads.proto");
  expect(files.flatMap(({ dependency }) => dependency).every((name) => names.has(name))).toBe(true);
  expect(await ask({ case: "fileByFilename", value: "google/protobuf/any.proto" })).toHaveProperty(
    "case",
    "fileDescriptorResponse",
  );
  const extensions = await ask({
    case: "allExtensionNumbersOfType",
    value: "google.protobuf.ServiceOptions",
  });
  const numbers = extensions.case === "allExtensionNumbersResponse" ? extensions.value.extensionNumber : [];
  expect(numbers).toContain(265073217);
  const extension = { containingType: "google.protobuf.ServiceOptions", extensionNumber: 265073217 };
  expect((await ask({ case: "fileContainingExtension", value: extension })).case).toBe(
    "fileDescriptorResponse",
  );
  expect((await ask({ case: "fileContainingSymbol", value: "no.Such" })).case).toBe("errorResponse");
  call.end();
});
