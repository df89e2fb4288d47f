// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { create, durationFromMs, type JsonObject, typeUrls } from "@msm/xds-protos";
import { NodeSchema } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import {
  type DeltaDiscoveryRequest,
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
} from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { BuiltinFilters } from "../config/builtin-filters.ts";
import { FilterLoader } from "../config/filter-loader.ts";
import type { ResourceType } from "../config/resource.ts";
import { ConfigStore } from "../config/store.ts";
import { FakeDatapath } from "../config/testdata/fake-datapath.ts";
import { builtinFolder, fakeFilterHost } from "../config/testdata/filters.ts";
import {
  anyOf,
  assignmentJson,
  discoveredFilter,
  ecdsJson,
  edsClusterJson,
  listenerJson,
  staticClusterJson,
} from "../config/testdata/resources.ts";
import { silentLogger } from "../logger.ts";
import { StatsRegistry } from "../stats/registry.ts";
import { AdsClient } from "./ads-client.ts";
import type { AdsStream } from "./ads-stream.ts";
import { DeltaState } from "./delta-state.ts";
import { xdsStats } from "./xds-stats.ts";

/** Polls until something is so. */
const until = (condition: () => boolean) => vi.waitUntil(condition, { timeout: 10_000, interval: 5 });

/** A stream of which the test is the server. */
class FakeStream implements AdsStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse> {
  readonly requests: DeltaDiscoveryRequest[] = [];
  isClosed = false;
  readonly #responses: DeltaDiscoveryResponse[] = [];
  #wake: () => void = () => {};
  #failure: Error | undefined;

  send(request: DeltaDiscoveryRequest): void {
    this.requests.push(request);
  }

  respond(
    type: ResourceType,
    resources: Record<string, JsonObject>,
    version = "1",
    removedResources: string[] = [],
    ttlSeconds?: number,
  ): void {
    const response = create(DeltaDiscoveryResponseSchema, {
      typeUrl: typeUrls[type],
      nonce: `${type}-${version}`,
      resources: Object.entries(resources).map(([name, json]) => ({
        ...{ name, version, resource: anyOf(json) },
        ...(ttlSeconds === undefined ? {} : { ttl: durationFromMs(ttlSeconds * 1000) }),
      })),
      removedResources,
    });
    this.#responses.push(response);
    this.#wake();
  }

  /** Says that a listener is still wanted, for so long. */
  heartbeat(name: string, ttlSeconds: number): void {
    const resource = { name, version: "1", ttl: durationFromMs(ttlSeconds * 1000) };
    const typeUrl = typeUrls.listener;
    const fields = { typeUrl, nonce: `heartbeat-${name}`, resources: [resource] };
    this.#responses.push(create(DeltaDiscoveryResponseSchema, fields));
    this.#wake();
  }

  fail(message: string): void {
    this.#failure = new Error(message);
    this.#wake();
  }

  close(): void {
    this.isClosed = true;
    this.fail("cancelled");
  }

  async *[Symbol.asyncIterator](): AsyncIterator<DeltaDiscoveryResponse> {
    for (;;) {
      const next = this.#responses.shift();
      if (next !== undefined) yield next;
      else if (this.#failure !== undefined) throw this.#failure;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  /** The answer to the response of this nonce: `ACK`, or the text of the NACK. */
  answerTo(nonce: string): string | undefined {
    const answer = this.requests.find(({ responseNonce }) => responseNonce === nonce);
    return answer === undefined ? undefined : (answer.errorDetail?.message ?? "ACK");
  }
}

const builtins = new BuiltinFilters(builtinFolder());
const wildcards = new Set<ResourceType>(["cluster", "listener"]);
let datapath: FakeDatapath;
let streams: FakeStream[];
let waits: number[];
let nowMs: number;
let registry: StatsRegistry;
let client: AdsClient<DeltaDiscoveryRequest, DeltaDiscoveryResponse>;
/** The names of the control planes that were tried, in order. */
let opened: string[];
/** What waits for a resource to expire. */
let lifetime: { readonly atMs: number; readonly run: () => void } | undefined;
let isServerThere: boolean;
/** Lets the wait between two streams end. */
let endWait: () => void;

beforeEach(() => {
  datapath = new FakeDatapath();
  streams = [];
  waits = [];
  nowMs = 0;
  endWait = () => {};
  isServerThere = true;
  opened = [];
  lifetime = undefined;
  registry = new StatsRegistry();
  startClient(["only"]);
});

function startClient(targetNames: readonly string[]): void {
  client = new AdsClient({
    state: new DeltaState(create(NodeSchema, { id: "proxy-1" }), wildcards),
    sink: new ConfigStore({
      loader: new FilterLoader(fakeFilterHost, builtins),
      applyPlan: (plan) => datapath.apply(plan),
      probeAddress: () => Promise.resolve(),
    }),
    targets: targetNames.map((name) => ({
      name,
      open: (onConnected) => {
        const stream = new FakeStream();
        streams.push(stream);
        opened.push(name);
        if (isServerThere) queueMicrotask(onConnected);
        return stream;
      },
    })),
    lifetimeClock: {
      nowMs: () => nowMs,
      after: (ms, run) => {
        lifetime = { atMs: nowMs + ms, run };
        return () => {
          lifetime = undefined;
        };
      },
    },
    surroundings: {
      nowMs: () => nowMs,
      random: () => 1,
      sleep: (ms, signal) => {
        waits.push(ms);
        return new Promise((resolve) => {
          endWait = resolve;
          signal.addEventListener("abort", () => resolve());
        });
      },
    },
    wildcards,
    stats: xdsStats(registry),
    logger: silentLogger,
    onAnswered: () => {},
  });
  client.start();
}

/** Lets so much time pass. */
function pass(ms: number): void {
  nowMs += ms;
  if (lifetime !== undefined && lifetime.atMs <= nowMs) lifetime.run();
}

afterEach(() => client.close());

function stat(name: string): number {
  const value = registry.samples().find((sample) => sample.name === name)?.value;
  return typeof value === "number" ? value : Number.NaN;
}

const filtered = { udpProxy: { session_filters: [discoveredFilter("f")] } };

/** Waits until the stream of this number is open. */
async function streamAt(index: number): Promise<FakeStream> {
  await until(() => streams[index] !== undefined);
  return streams[index] as FakeStream;
}

/** Waits for the answer to a response. */
async function answer(stream: FakeStream, nonce: string): Promise<string> {
  await until(() => stream.answerTo(nonce) !== undefined);
  return stream.answerTo(nonce) as string;
}

/** Serves a listener with its cluster, endpoints and filter on a stream. */
async function serveAll(stream: FakeStream): Promise<void> {
  stream.respond("cluster", { viewer: edsClusterJson("viewer") });
  stream.respond("clusterLoadAssignment", { viewer: assignmentJson("viewer", [6004]) });
  stream.respond("listener", { a: listenerJson("a", 5004, filtered) });
  stream.respond("typedExtensionConfig", { f: ecdsJson("f") });
  expect(await answer(stream, "typedExtensionConfig-1")).toBe("ACK");
}

test("what the control plane sends is asked for step by step and comes into force", async () => {
  const stream = await streamAt(0);
  await serveAll(stream);
  const subscriptions = stream.requests.flatMap(({ resourceNamesSubscribe }) => resourceNamesSubscribe);
  expect(subscriptions).toEqual(["viewer", "f"]);
  expect(datapath.plan).toMatchObject({ listeners: [{ name: "a" }], clusters: [{ name: "viewer" }] });
  expect(stat("control_plane.connected_state")).toBe(1);
  expect(stat("listener_manager.lds.update_success")).toBe(1);
});

test("bad resources are refused one by one, with code and field, and the good ones are applied", async () => {
  const stream = await streamAt(0);
  await serveAll(stream);
  stream.respond(
    "listener",
    { a: listenerJson("a", 5008), b: listenerJson("b", 5006, { transparent: true }) },
    "2",
  );
  expect(await answer(stream, "listener-2")).toBe(
    "b: MSM_CONFIG_UNSUPPORTED_VALUE: transparent: has a value that this proxy does not honour; set it to false or remove it",
  );
  expect(datapath.plan.listeners.map(({ name, address }) => `${name} ${address.port}`)).toEqual(["a 5008"]);
  expect(stat("listener_manager.lds.update_rejected")).toBe(1);
});

test("a lost control plane changes nothing, nor does its return", async () => {
  await serveAll(await streamAt(0));
  const plans = datapath.plans.length;
  streams[0]?.fail("14 UNAVAILABLE");
  await until(() => waits.length === 1);
  expect(stat("control_plane.connected_state")).toBe(0);
  expect(stat("cluster_manager.cds.update_failure")).toBe(1);
  endWait();
  const second = await streamAt(1);
  await until(() => second.requests.length === 4);
  expect(second.requests.map((request) => request.initialResourceVersions)).toEqual([
    { viewer: "1" },
    { viewer: "1" },
    { a: "1" },
    { f: "1" },
  ]);
  // A server that sends everything again all the same.
  await serveAll(second);
  expect(datapath.plans).toHaveLength(plans);
});

test("what was removed while the control plane was away goes when it is back, and not before", async () => {
  await serveAll(await streamAt(0));
  streams[0]?.fail("gone");
  await until(() => waits.length === 1);
  endWait();
  const second = await streamAt(1);
  expect(datapath.plan.listeners).toHaveLength(1);
  second.respond("listener", {}, "2", ["a"]);
  expect(await answer(second, "listener-2")).toBe("ACK");
  expect(datapath.plan.listeners).toEqual([]);
});

test("failures in a row wait longer and longer; one good stream makes the next retry quick again", async () => {
  for (let i = 0; i < 4; i++) {
    (await streamAt(i)).fail("refused");
    await until(() => waits.length === i + 1);
    endWait();
  }
  expect(waits).toEqual([50, 500, 1000, 2000]);
  await streamAt(4);
  // The server had nothing new to say in a minute.
  await until(() => stat("control_plane.connected_state") === 1);
  nowMs = 60_000;
  streams[4]?.fail("restarted");
  await until(() => waits.length === 5);
  expect(waits.at(-1)).toBe(50);
});

test("an address that swallows connections is no good stream, however long it took to find out", async () => {
  isServerThere = false;
  (await streamAt(0)).fail("refused");
  for (let i = 1; i < 3; i++) {
    await until(() => waits.length === i);
    endWait();
    const stream = await streamAt(i);
    nowMs += 20_000;
    stream.fail("timed out");
  }
  await until(() => waits.length === 3);
  expect(waits).toEqual([50, 500, 1000]);
});

test("a server that answers and closes at once does not count as good", async () => {
  for (let i = 0; i < 3; i++) {
    const stream = await streamAt(i);
    stream.respond("cluster", {}, `${i}`);
    await answer(stream, `cluster-${i}`);
    stream.fail("closed");
    await until(() => waits.length === i + 1);
    endWait();
  }
  expect(waits).toEqual([50, 500, 1000]);
});

test("closing ends the stream and the waiting", async () => {
  const stream = await streamAt(0);
  await client.close();
  expect(stream.isClosed).toBe(true);
});

test("where one control plane does not answer the next is tried at once, and the first again after a loss", async () => {
  await client.close();
  [streams, opened, waits] = [[], [], []];
  startClient(["first", "second"]);
  (await streamAt(0)).fail("refused");
  await until(() => waits.length === 1);
  endWait();
  await serveAll(await streamAt(1));
  streams[1]?.fail("restarted");
  await until(() => waits.length === 2);
  endWait();
  await streamAt(2);
  expect(opened).toEqual(["first", "second", "first"]);
  expect(datapath.plan.listeners).toHaveLength(1);
});

test("only when every control plane was tried in vain does the wait grow", async () => {
  await client.close();
  [streams, opened, waits] = [[], [], []];
  startClient(["first", "second"]);
  for (let i = 0; i < 6; i++) {
    (await streamAt(i)).fail("refused");
    await until(() => waits.length === i + 1);
    endWait();
  }
  expect(waits).toEqual([50, 50, 50, 500, 50, 1000]);
});

test("a resource with a time to live goes when that has passed without word, and not while there is word", async () => {
  const stream = await streamAt(0);
  stream.respond("cluster", { viewer: staticClusterJson("viewer", 6004) });
  stream.respond("listener", { a: listenerJson("a", 5004) }, "1", [], 3);
  expect(await answer(stream, "listener-1")).toBe("ACK");
  pass(2000);
  stream.heartbeat("a", 3);
  expect(await answer(stream, "heartbeat-a")).toBe("ACK");
  pass(2000);
  expect(datapath.plan.listeners).toHaveLength(1);
  streams[0]?.fail("killed");
  await until(() => waits.length === 1);
  pass(1000);
  await until(() => datapath.plan.listeners.length === 0);
  endWait();
  const second = await streamAt(1);
  await until(() => second.requests.length === 2);
  const [clusters, listeners] = second.requests;
  expect(clusters?.initialResourceVersions).toEqual({ viewer: "1" });
  expect(listeners?.initialResourceVersions).toEqual({});
});
