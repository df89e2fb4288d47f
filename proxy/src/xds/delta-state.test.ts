// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { create, type JsonObject, type MessageInitShape, typeUrls } from "@msm/xds-protos";
import { NodeSchema } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryResponseSchema,
} from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { beforeEach, describe, expect, test } from "vitest";
import type { ResourceType } from "../config/resource.ts";
import {
  anyOf,
  assignmentJson,
  ecdsJson,
  edsClusterJson,
  listenerJson,
} from "../config/testdata/resources.ts";
import { ConfigError } from "../config-error.ts";
import { DeltaState } from "./delta-state.ts";

let state: DeltaState;
let nonce: number;

beforeEach(() => {
  state = new DeltaState(
    create(NodeSchema, { id: "proxy-1" }),
    new Set<ResourceType>(["cluster", "listener"]),
  );
  nonce = 0;
});

type ResponseInit = MessageInitShape<typeof DeltaDiscoveryResponseSchema>;

function response(type: ResourceType, resources: Record<string, JsonObject>, more: ResponseInit = {}) {
  return create(DeltaDiscoveryResponseSchema, {
    typeUrl: typeUrls[type],
    nonce: `n${++nonce}`,
    resources: Object.entries(resources).map(([name, json]) => ({
      name,
      version: `v${nonce}`,
      resource: anyOf(json),
    })),
    ...more,
  });
}

/** Receives a response and answers it as if everything but `refused` had been applied. */
function accept(
  message: ReturnType<typeof response>,
  refused: readonly string[] = [],
): DeltaDiscoveryRequest {
  const received = state.receive(message);
  if (received === undefined) throw new Error("the response was ignored");
  const rejections = refused.map((name) => ({ name, error: new ConfigError("MSM_X", "field", "is wrong") }));
  return state.answer(received, [...received.rejections, ...rejections]);
}

function summary(request: DeltaDiscoveryRequest | undefined) {
  if (request === undefined) return undefined;
  return {
    type: request.typeUrl.slice(request.typeUrl.lastIndexOf(".") + 1),
    node: request.node?.id,
    subscribe: request.resourceNamesSubscribe,
    unsubscribe: request.resourceNamesUnsubscribe,
    versions: request.initialResourceVersions,
  };
}

const nothing = { node: undefined, subscribe: [], unsubscribe: [], versions: {} };

describe("a first stream", () => {
  test("asks for all clusters, then for all listeners, with the node in the first request alone", () => {
    expect(state.open().map(summary)).toEqual([
      { ...nothing, type: "Cluster", node: "proxy-1" },
      { ...nothing, type: "Listener" },
    ]);
  });

  test("asks for endpoints and filters by name when they are needed, and drops those that are not any more", () => {
    state.open();
    const asked = state.subscribe("clusterLoadAssignment", new Set(["a", "b"]));
    expect(summary(asked)).toEqual({ ...nothing, type: "ClusterLoadAssignment", subscribe: ["a", "b"] });
    expect(state.subscribe("clusterLoadAssignment", new Set(["b", "a"]))).toBeUndefined();
    const changed = state.subscribe("clusterLoadAssignment", new Set(["b", "c"]));
    expect(summary(changed)).toMatchObject({ subscribe: ["c"], unsubscribe: ["a"] });
    expect(summary(state.subscribe("clusterLoadAssignment", new Set()))).toMatchObject({
      unsubscribe: ["b", "c"],
    });
  });
});

describe("a response", () => {
  test("that was applied is acknowledged by its nonce", () => {
    state.open();
    const ack = accept(response("cluster", { a: edsClusterJson("a") }));
    expect(ack).toMatchObject({ typeUrl: typeUrls.cluster, responseNonce: "n1" });
    expect(ack.errorDetail).toBeUndefined();
  });

  test("of which a resource was refused is not acknowledged, and each bad one has its line", () => {
    state.open();
    const nack = accept(response("cluster", { a: edsClusterJson("a"), b: edsClusterJson("b") }), ["a", "b"]);
    expect(nack.errorDetail).toMatchObject({
      code: 3,
      message: "a: MSM_X: field: is wrong\nb: MSM_X: field: is wrong",
    });
  });

  test("with thousands of bad resources gets an answer of a readable length", () => {
    state.open();
    const names = Array.from({ length: 3000 }, (_, i) => `cluster-${i}`);
    const resources = Object.fromEntries(names.map((name) => [name, edsClusterJson(name)]));
    const nack = accept(response("cluster", resources), names);
    expect(nack.errorDetail?.message.length).toBeLessThan(5000);
    expect(nack.errorDetail?.message).toMatch(/\nand \d+ more$/);
  });

  test("of a type that was not asked for is ignored", () => {
    state.open();
    expect(state.receive(response("clusterLoadAssignment", { a: assignmentJson("a", [1]) }))).toBeUndefined();
    expect(state.receive(create(DeltaDiscoveryResponseSchema, { typeUrl: typeUrls.secret }))).toBeUndefined();
  });

  test("may hold resources that nobody asked for: they are left out", () => {
    state.open();
    state.subscribe("typedExtensionConfig", new Set(["f"]));
    const received = state.receive(response("typedExtensionConfig", { f: ecdsJson("f"), g: ecdsJson("g") }));
    expect(received?.update.added.map(({ name }) => name)).toEqual(["f"]);
  });

  test("may hold heartbeats, which change nothing", () => {
    state.open();
    const heartbeat = response("cluster", {}, { resources: [{ name: "a", version: "v1" }] });
    expect(state.receive(heartbeat)?.update.added).toEqual([]);
  });

  test("is refused in part where a resource has no name, a name twice, or another type", () => {
    state.open();
    const a = { name: "a", version: "v", resource: anyOf(edsClusterJson("a")) };
    const wrong = { name: "b", version: "v", resource: anyOf(listenerJson("b", 1)) };
    const received = state.receive(response("cluster", {}, { resources: [a, a, wrong, { ...a, name: "" }] }));
    expect(received?.update.added.map(({ name }) => name)).toEqual(["a"]);
    expect(received?.rejections.map(({ name, error }) => `${name} ${error.code}`)).toEqual([
      "a MSM_XDS_NAME",
      "b MSM_XDS_TYPE",
      " MSM_XDS_NAME",
    ]);
  });

  test("tells of removed resources in either of the two fields", () => {
    state.open();
    const removal = response(
      "cluster",
      {},
      { removedResources: ["a"], removedResourceNames: [{ name: "b" }] },
    );
    expect(state.receive(removal)?.update.removed).toEqual(["a", "b"]);
  });
});

describe("after a reconnect", () => {
  test("the server is told what is here already, so that it sends nothing again", () => {
    state.open();
    accept(response("cluster", { a: edsClusterJson("a"), b: edsClusterJson("b") }));
    state.subscribe("clusterLoadAssignment", new Set(["a", "b"]));
    accept(response("clusterLoadAssignment", { a: assignmentJson("a", [1]) }));
    state.close();
    expect(state.open().map(summary)).toEqual([
      { ...nothing, type: "Cluster", node: "proxy-1", versions: { a: "v1", b: "v1" } },
      { ...nothing, type: "ClusterLoadAssignment", subscribe: ["a", "b"], versions: { a: "v2" } },
      { ...nothing, type: "Listener" },
    ]);
  });

  test("a refused version is not claimed: the last good one is, or none", () => {
    state.open();
    accept(response("listener", { a: listenerJson("a", 1) }));
    accept(response("listener", { a: listenerJson("a", 2), b: listenerJson("b", 3) }), ["a", "b"]);
    state.close();
    expect(state.open().map(summary)[1]).toMatchObject({ type: "Listener", versions: { a: "v1" } });
  });

  test("what was removed or dropped is forgotten", () => {
    state.open();
    accept(response("cluster", { a: edsClusterJson("a"), b: edsClusterJson("b") }));
    accept(response("cluster", {}, { removedResources: ["a"] }));
    state.subscribe("clusterLoadAssignment", new Set(["b"]));
    accept(response("clusterLoadAssignment", { b: assignmentJson("b", [1]) }));
    state.subscribe("clusterLoadAssignment", new Set());
    state.close();
    state.subscribe("clusterLoadAssignment", new Set(["b"]));
    expect(state.open().map(summary)).toMatchObject([
      { type: "Cluster", versions: { b: "v1" } },
      { type: "ClusterLoadAssignment", subscribe: ["b"], versions: {} },
      { type: "Listener" },
    ]);
  });
});
