// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { durationMs, fromBinary, unpackAny } from "@msm/xds-protos";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
  type Resource,
} from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { replayOverSockets } from "../testing/replay-over-sockets.ts";
import { deltaProbe, type StreamProbe, sotwProbe } from "../testing/stream-probe.ts";
import { deltaProtocol } from "./delta-protocol.ts";
import { sotwProtocol } from "./sotw-protocol.ts";

replayOverSockets({ beforeAll, beforeEach, afterEach, afterAll });

const TTL = "xds.config.supports-resource-ttl";
const WRAPPED = "xds.config.supports-resource-in-sotw";
const withFeatures = (...clientFeatures: string[]): object => ({ node: { id: "n1", clientFeatures } });

function deltaResource(probe: StreamProbe<never>): Resource {
  const { usesTtl } = probe.stream;
  const bytes = deltaProtocol.encode(probe.newest, { identifier: "", usesTtl });
  return fromBinary(DeltaDiscoveryResponseSchema, bytes).resources[0]!;
}

function sotwResource(probe: StreamProbe<never>) {
  const { usesTtl } = probe.stream;
  const bytes = sotwProtocol.encode(probe.newest, { identifier: "", usesTtl });
  return unpackAny(fromBinary(DiscoveryResponseSchema, bytes).resources[0]!);
}

test("82: sotw: a resource that expires is wrapped for clients that say that they know both, and for no other", () => {
  const typeOf = (...features: string[]): string | undefined => {
    const probe = sotwProbe({ cds: ["a~9000", "b"] });
    probe.request("cds", withFeatures(...features));
    return sotwResource(probe as StreamProbe<never>)?.$typeName;
  };
  expect(typeOf(TTL, WRAPPED)).toBe("envoy.service.discovery.v3.Resource");
  expect(typeOf(TTL, "xds.config.resource-in-sotw")).toBe("envoy.service.discovery.v3.Resource");
  for (const features of [[], [TTL], [WRAPPED]])
    expect(typeOf(...features)).toBe("envoy.config.cluster.v3.Cluster");
});

test("82: delta: a resource tells its time to live to clients that say that they know it", () => {
  for (const [features, expected] of [
    [[TTL], 9000],
    [[], undefined],
  ] as const) {
    const probe = deltaProbe({ cds: ["a~9000"] });
    probe.request("cds", withFeatures(...features));
    const { ttl } = deltaResource(probe as StreamProbe<never>);
    expect(ttl === undefined ? undefined : durationMs(ttl)).toBe(expected);
  }
});

test("83: a heartbeat has name, version and time to live, no content, and is no new version", () => {
  const probe = deltaProbe({ eds: ["a~9000"] });
  probe.request("eds", { ...withFeatures(TTL), resourceNamesSubscribe: ["a"] });
  const { version } = deltaResource(probe as StreamProbe<never>);
  const systemVersion = probe.newest.version;
  probe.ack("eds");
  expect(probe.stream.heartbeatMs).toBe(4500);
  expect(probe.heartbeat()).toEqual(["eds +a"]);
  const heartbeat = deltaResource(probe as StreamProbe<never>);
  expect(heartbeat).toMatchObject({ name: "a", version, ttl: { seconds: 9n } });
  expect(heartbeat.resource).toBeUndefined();
  expect(probe.newest.version).toBe(systemVersion);
  expect(probe.ack("eds")).toEqual([]);
});

test("83: sotw: a heartbeat is a wrapped resource without content, of the response's version", () => {
  const probe = sotwProbe({ eds: ["a~9000"] });
  probe.request("eds", { ...withFeatures(TTL, WRAPPED), resourceNames: ["a"] });
  const { version } = probe.newest;
  probe.ack("eds", { resourceNames: ["a"] });
  probe.heartbeat();
  expect(probe.newest.version).toBe(version);
  const heartbeat = sotwResource(probe as StreamProbe<never>) as Resource;
  expect(heartbeat).toMatchObject({ name: "a", version, ttl: { seconds: 9n } });
  expect(heartbeat.resource).toBeUndefined();
});

test("83: sotw: of types that come whole a heartbeat repeats everything, or clients would drop the rest", () => {
  const probe = sotwProbe({ cds: ["a~9000", "b"] });
  probe.request("cds", withFeatures(TTL, WRAPPED));
  const { version } = probe.newest;
  probe.ack("cds");
  expect(probe.heartbeat()).toEqual(["cds +a,b"]);
  expect(probe.newest.version).toBe(version);
  expect((sotwResource(probe as StreamProbe<never>) as Resource).resource).toBeDefined();
});

test("84: heartbeats go to subscribers, for what expires, and not beside a response that is not answered", () => {
  const probe = deltaProbe({ eds: ["a~9000", "b", "c~9000"] });
  probe.request("eds", { ...withFeatures(TTL), resourceNamesSubscribe: ["a", "b"] });
  expect(probe.heartbeat()).toEqual([]);
  probe.ack("eds");
  expect(probe.heartbeat()).toEqual(["eds +a"]);
  probe.ack("eds", { resourceNamesUnsubscribe: ["a"] });
  expect(probe.stream.heartbeatMs).toBeUndefined();
});

test("84: a resource that does not expire any more is sent again without time to live", () => {
  const probe = deltaProbe({ eds: ["a=1~9000"] });
  probe.request("eds", { ...withFeatures(TTL), resourceNamesSubscribe: ["a"] });
  probe.ack("eds");
  expect(probe.publish({ eds: ["a=1"] })).toEqual(["eds +a"]);
  expect(deltaResource(probe as StreamProbe<never>).ttl).toBeUndefined();
  expect(probe.stream.heartbeatMs).toBeUndefined();
});
