// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { fromBinary } from "@bufbuild/protobuf";
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { create, type JsonObject, toBinary, typeUrls } from "@msm/xds-protos";
import { NodeSchema } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { BuiltinFilters } from "../config/builtin-filters.ts";
import { FilterLoader } from "../config/filter-loader.ts";
import type { ResourceType } from "../config/resource.ts";
import { ConfigStore } from "../config/store.ts";
import { FakeDatapath } from "../config/testdata/fake-datapath.ts";
import { fakeFilterHost } from "../config/testdata/filters.ts";
import { anyOf, listenerJson, staticClusterJson } from "../config/testdata/resources.ts";
import { silentLogger } from "../logger.ts";
import { StatsRegistry } from "../stats/registry.ts";
import { type AnyAdsClient, createAdsClient } from "./create-ads-client.ts";
import { xdsStats } from "./xds-stats.ts";

/** Polls until something is so. */
const until = (condition: () => boolean) => vi.waitUntil(condition, { timeout: 10_000, interval: 5 });

type Request = DeltaDiscoveryRequest | DiscoveryRequest;
type Call = ServerDuplexStream<Request, Buffer>;
type Variant = "sotw" | "delta";
/** What the server does with a stream; the number counts streams from 0. */
type Script = (call: Call, index: number) => void;

const wildcards = new Set<ResourceType>(["cluster", "listener"]);
let server: Server;
let port: number;
let streamCount: number;
let requests: Request[];
let script: Script;
let datapath: FakeDatapath;
let client: AnyAdsClient;
let variant: Variant;
let registry: StatsRegistry;

async function start(of: Variant): Promise<void> {
  variant = of;
  streamCount = 0;
  requests = [];
  registry = new StatsRegistry();
  script = () => {};
  await startServer(0);
  datapath = new FakeDatapath();
  const ads = {
    ...{ variant, servers: [{ target: `127.0.0.1:${port}` }], wildcards },
    ...{ clusterNames: new Set<string>(), initialFetchTimeoutMs: 0 },
  };
  client = createAdsClient(ads, create(NodeSchema, { id: "proxy-1" }), {
    sink: new ConfigStore({
      loader: new FilterLoader(fakeFilterHost, new BuiltinFilters(undefined)),
      applyPlan: (plan) => datapath.apply(plan),
      probeAddress: () => Promise.resolve(),
    }),
    surroundings: {
      nowMs: () => 0,
      random: () => 0,
      // Real servers are given time; here the next attempt comes as soon as the event loop turns.
      sleep: () => new Promise((resolve) => setImmediate(resolve)),
    },
    stats: xdsStats(registry),
    logger: silentLogger,
    onAnswered: () => {},
  });
}

afterEach(async () => {
  await client.close();
  server.forceShutdown();
});

async function startServer(wanted: number): Promise<void> {
  server = new Server();
  const handler = (call: Call): void => {
    call.on("error", () => {});
    call.on("data", (request: Request) => requests.push(request));
    script(call, streamCount++);
  };
  const service = "/envoy.service.discovery.v3.AggregatedDiscoveryService";
  const raw = (bytes: Buffer): Buffer => bytes;
  const readDelta = (bytes: Buffer) => fromBinary(DeltaDiscoveryRequestSchema, bytes);
  const readSotw = (bytes: Buffer) => fromBinary(DiscoveryRequestSchema, bytes);
  server.register(`${service}/DeltaAggregatedResources`, handler, raw, readDelta, "bidi");
  server.register(`${service}/StreamAggregatedResources`, handler, raw, readSotw, "bidi");
  port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${wanted}`, ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
}

function send(call: Call, type: ResourceType, resources: Record<string, JsonObject>, nonce: string): void {
  const bodies = Object.entries(resources).map(([name, json]) => ({ name, resource: anyOf(json) }));
  call.write(encode(typeUrls[type], nonce, bodies));
}

type Named = { readonly name: string; readonly resource: ReturnType<typeof anyOf> };

function encode(typeUrl: string, nonce: string, named: readonly Named[]): Buffer {
  if (variant === "sotw") {
    const resources = named.map(({ resource }) => resource);
    const message = create(DiscoveryResponseSchema, { typeUrl, nonce, versionInfo: nonce, resources });
    return Buffer.from(toBinary(DiscoveryResponseSchema, message));
  }
  const resources = named.map((each) => ({ ...each, version: "1" }));
  const message = create(DeltaDiscoveryResponseSchema, { typeUrl, nonce, resources });
  return Buffer.from(toBinary(DeltaDiscoveryResponseSchema, message));
}

/** A listener to a cluster with one endpoint. */
function sendGood(call: Call): void {
  send(call, "cluster", { viewer: staticClusterJson("viewer", 6004) }, "good-cds");
  send(call, "listener", { a: listenerJson("a", 5004) }, "good-lds");
}

async function acceptGood(): Promise<void> {
  await until(() => requests.some(({ responseNonce }) => responseNonce === "good-lds"));
  expect(datapath.plan.listeners).toHaveLength(1);
}

/** Whatever came after the good configuration, it is as it was. */
function expectUndisturbed(): void {
  expect(datapath.plan.listeners).toMatchObject([{ name: "a", address: { port: 5004 } }]);
}

describe.each(["sotw", "delta"] as const)("%s", (of) => {
  beforeEach(() => start(of));

  test("a server that is not there, or only later, is tried until it is", async () => {
    server.forceShutdown();
    client.start();
    script = sendGood;
    await startServer(port);
    await acceptGood();
  });

  test("garbage instead of messages ends the stream, not the client, and leaves the configuration alone", async () => {
    const garbage = Buffer.from([0xff, 0xff, 0xff, 0x07, 0x01]);
    script = (call, index) => {
      if (index > 0) {
        call.write(garbage);
        return;
      }
      sendGood(call);
      call.on("data", ({ responseNonce }) => responseNonce === "good-lds" && call.write(garbage));
    };
    client.start();
    await acceptGood();
    await until(() => streamCount >= 4);
    expectUndisturbed();
  });

  test("responses of types that were not asked for, or of none, are passed over", async () => {
    script = (call) => {
      const odd = ["", "x", typeUrls.secret, typeUrls.clusterLoadAssignment];
      for (const typeUrl of odd) {
        call.write(encode(typeUrl, "odd", []));
      }
      sendGood(call);
    };
    client.start();
    await acceptGood();
    expect(requests.some(({ responseNonce }) => responseNonce === "odd")).toBe(false);
  });

  test("a server that repeats what was refused is refused again each time, and nothing else suffers", async () => {
    let repeats = 0;
    script = (call) => {
      sendGood(call);
      call.on("data", ({ responseNonce, errorDetail }: Request) => {
        const isAnswer = responseNonce === "good-lds" || errorDetail !== undefined;
        if (isAnswer && repeats < 50) {
          send(call, "listener", { a: listenerJson("a", 5006, { transparent: true }) }, `bad-${++repeats}`);
        }
      });
    };
    client.start();
    await until(() => requests.some(({ responseNonce }) => responseNonce === "bad-50"));
    expect(requests.filter(({ errorDetail }) => errorDetail !== undefined)).toHaveLength(50);
    expect(streamCount).toBe(1);
    expectUndisturbed();
  });

  test("a server that closes every stream at once, well or badly, finds the client back each time", async () => {
    script = (call, index) => {
      if (index === 0) sendGood(call);
      else if (index % 2 === 0) call.end();
      else call.emit("error", { code: 13, details: "storm" });
      if (index === 0) call.on("data", ({ responseNonce }) => responseNonce === "good-lds" && call.end());
    };
    client.start();
    await acceptGood();
    await until(() => streamCount >= 20);
    expectUndisturbed();
  });

  test("a server that says nothing counts as connected and is waited for, and closing does not wait", async () => {
    client.start();
    await until(() => requests.length === 2);
    const isConnected = () =>
      registry.samples().some(({ name, value }) => name.endsWith("connected_state") && value === 1);
    await until(isConnected);
    expect(streamCount).toBe(1);
    await client.close();
  });

  test("a resource too large for the stream costs the stream alone", async () => {
    script = (call, index) => {
      if (index === 0) sendGood(call);
      else if (index === 1) call.write(Buffer.alloc(17 * 1024 * 1024));
      if (index === 0) call.on("data", ({ responseNonce }) => responseNonce === "good-lds" && call.end());
    };
    client.start();
    await until(() => streamCount >= 3);
    expectUndisturbed();
  });
});
