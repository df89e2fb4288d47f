// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type Any, create, durationFromMs, packAny, typeUrls } from "@msm/xds-protos";
import { NodeSchema } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import {
  type DiscoveryRequest,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
  ResourceSchema,
} from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import type { Rejection, ResourceType } from "../config/resource.ts";
import { anyOf, assignmentJson, listenerJson, staticClusterJson } from "../config/testdata/resources.ts";
import { ConfigError } from "../config-error.ts";
import type { Received } from "./client-state.ts";
import { SotwState } from "./sotw-state.ts";

let state: SotwState;

beforeEach(() => {
  state = new SotwState(
    create(NodeSchema, { id: "proxy-1" }),
    new Set<ResourceType>(["cluster", "listener"]),
  );
});

const cluster = (name: string, port = 6004): Any => anyOf(staticClusterJson(name, port));
const listener = (name: string): Any => anyOf(listenerJson(name, 5004));
const assignment = (name: string): Any => anyOf(assignmentJson(name, [6004]));

function response(type: ResourceType, version: string, ...resources: readonly Any[]): DiscoveryResponse {
  const fields = { typeUrl: typeUrls[type], versionInfo: version, nonce: `${type}-${version}` };
  return create(DiscoveryResponseSchema, { ...fields, resources: [...resources] });
}

/** Takes a response and answers it; `refused` are the names that cannot be applied. */
function take(
  given: DiscoveryResponse,
  ...refused: readonly string[]
): readonly [Received, DiscoveryRequest] {
  const received = state.receive(given)!;
  const rejections: readonly Rejection[] = refused.map((name) => {
    return { name, error: new ConfigError("MSM_XDS_NAME", "name", "is bad") };
  });
  return [received, state.answer(received, [...received.rejections, ...rejections])];
}

const names = ({ update }: Received) => [update.added.map(({ name }) => name), update.removed];

function wrapped(name: string, body: Any | undefined, ttlMs: number): Any {
  const resource = body === undefined ? {} : { resource: body };
  return packAny(ResourceSchema, create(ResourceSchema, { name, ...resource, ttl: durationFromMs(ttlMs) }));
}

test("a stream begins with everything of the wildcard types, and the node in the first request alone", () => {
  const requests = state.open();
  expect(requests.map(({ typeUrl }) => typeUrl)).toEqual([typeUrls.cluster, typeUrls.listener]);
  expect(requests.map(({ node }) => node?.id)).toEqual(["proxy-1", undefined]);
  expect(requests.map(({ resourceNames, versionInfo }) => [resourceNames, versionInfo])).toEqual([
    [[], ""],
    [[], ""],
  ]);
});

test("an answer has the nonce, and the version where the response was accepted, the last good one where not", () => {
  state.open();
  const [, ack] = take(response("cluster", "1", cluster("a")));
  expect([ack.versionInfo, ack.responseNonce, ack.errorDetail]).toEqual(["1", "cluster-1", undefined]);
  const [, nack] = take(response("cluster", "2", cluster("a", 7000)), "a");
  expect([nack.versionInfo, nack.responseNonce]).toEqual(["1", "cluster-2"]);
  expect(nack.errorDetail?.message).toContain("a: MSM_XDS_NAME: name: is bad");
});

test("what a response of clusters lacks is gone; what is as it was is not applied again", () => {
  state.open();
  take(response("cluster", "1", cluster("a"), cluster("b")));
  const [received] = take(response("cluster", "2", cluster("b"), cluster("c")));
  expect(names(received)).toEqual([["c"], ["a"]]);
  const [emptied] = take(response("cluster", "3"));
  expect(names(emptied)).toEqual([[], ["b", "c"]]);
});

test("what a response of endpoints lacks is as it was", () => {
  state.open();
  state.subscribe("clusterLoadAssignment", new Set(["a", "b"]));
  take(response("clusterLoadAssignment", "1", assignment("a"), assignment("b")));
  const [received] = take(response("clusterLoadAssignment", "2", assignment("c")));
  expect(names(received)).toEqual([[], []]);
});

test("a refused form is tried again when it comes again, and gone when it does not", () => {
  state.open();
  take(response("listener", "1", listener("a")), "a");
  const [again] = take(response("listener", "2", listener("a")), "a");
  expect(names(again)).toEqual([["a"], []]);
  const [gone] = take(response("listener", "3"));
  expect(names(gone)).toEqual([[], ["a"]]);
});

test("a resource that cannot be told is refused, and nothing counts as removed then", () => {
  state.open();
  take(response("cluster", "1", cluster("a")));
  const broken = { ...cluster("b"), value: Uint8Array.of(0x0a, 0x05, 0x61) };
  const [received, nack] = take(response("cluster", "2", broken, listener("l"), cluster("b")));
  expect(names(received)).toEqual([["b"], []]);
  expect(received.rejections.map(({ error }) => error.code)).toEqual([
    "MSM_CONFIG_UNDECODABLE",
    "MSM_XDS_TYPE",
  ]);
  expect([nack.versionInfo, nack.errorDetail === undefined]).toEqual(["1", false]);
});

test("names are always listed in full; a type is asked for when the first name is, and given up with the last", () => {
  state.open();
  expect(state.subscribe("clusterLoadAssignment", new Set())).toBeUndefined();
  const first = state.subscribe("clusterLoadAssignment", new Set(["a"]))!;
  expect([first.resourceNames, first.responseNonce]).toEqual([["a"], ""]);
  take(response("clusterLoadAssignment", "1", assignment("a")));
  const more = state.subscribe("clusterLoadAssignment", new Set(["a", "b"]))!;
  expect([more.resourceNames, more.versionInfo, more.responseNonce]).toEqual([
    ...[["a", "b"], "1"],
    "clusterLoadAssignment-1",
  ]);
  expect(state.subscribe("clusterLoadAssignment", new Set(["b", "a"]))).toBeUndefined();
  expect(state.subscribe("clusterLoadAssignment", new Set())?.resourceNames).toEqual([]);
});

test("a reconnected client says its versions and no nonce, and no version of a type with new names", () => {
  state.open();
  state.subscribe("clusterLoadAssignment", new Set(["a"]));
  take(response("cluster", "7", cluster("a")));
  take(response("clusterLoadAssignment", "8", assignment("a")));
  state.close();
  state.subscribe("clusterLoadAssignment", new Set(["a", "b"]));
  const said = state.open().map(({ versionInfo, responseNonce }) => [versionInfo, responseNonce]);
  expect(said).toEqual([
    ["7", ""],
    ["", ""],
    ["", ""],
  ]);
  const [received] = take(response("cluster", "7", cluster("a")));
  expect(names(received)).toEqual([[], []]);
});

test("a wrapped resource lives as long as it says; a heartbeat prolongs it and removes nothing", () => {
  state.open();
  const [received] = take(response("listener", "1", wrapped("a", listener("a"), 3000), listener("b")));
  expect(names(received)).toEqual([["a", "b"], []]);
  expect([...received.lifetimesMs]).toEqual([
    ["a", 3000],
    ["b", undefined],
  ]);
  const [heartbeat] = take(response("listener", "1", wrapped("a", undefined, 5000)));
  expect(names(heartbeat)).toEqual([[], []]);
  expect([...heartbeat.lifetimesMs]).toEqual([["a", 5000]]);
});

test("an expired resource is applied when it comes again as it was", () => {
  state.open();
  take(response("listener", "1", wrapped("a", listener("a"), 3000)));
  state.forget("listener", "a");
  const [received] = take(response("listener", "1", wrapped("a", listener("a"), 3000)));
  expect(names(received)).toEqual([["a"], []]);
});

test("whatever bytes a resource has, the response is answered", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (value, isWrapped) => {
      state.open();
      const typeUrl = isWrapped ? `type.googleapis.com/${ResourceSchema.typeName}` : typeUrls.cluster;
      const [, answer] = take(response("cluster", "1", { ...cluster("x"), typeUrl, value }));
      expect(answer.responseNonce).toBe("cluster-1");
    }),
  );
});
