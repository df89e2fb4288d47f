// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { fromBinary, typeUrls } from "@msm/xds-protos";
import { ClusterLoadAssignmentSchema } from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import { DiscoveryResponseSchema } from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { replayOverSockets } from "../testing/replay-over-sockets.ts";
import { sotwProbe } from "../testing/stream-probe.ts";
import { sotwProtocol } from "./sotw-protocol.ts";

replayOverSockets({ beforeAll, beforeEach, afterEach, afterAll });

const plain = { identifier: "", usesTtl: false };
const named = (...names: string[]): object => ({ resourceNames: names });

test("24: the version changes exactly when a resource visible to the subscriber does", () => {
  const probe = sotwProbe({ eds: ["a", "b"] });
  probe.request("eds", named("a"));
  const { version } = probe.newest;
  probe.ack("eds", named("a"));
  expect(probe.publish({ eds: ["a", "b=2"] })).toEqual([]);
  probe.publish({ eds: ["a=2", "b=2"] });
  expect(probe.newest.version).not.toBe(version);
});

test("25: two streams get the same version for the same resources", () => {
  const versions = [1, 2].map(() => {
    const probe = sotwProbe({ cds: ["a", "b"] });
    probe.request("cds");
    return probe.newest.version;
  });
  expect(versions[0]).toBe(versions[1]);
});

test("23: drops the names of a request with an old nonce and takes those of the next answer", () => {
  const probe = sotwProbe({ eds: ["a", "b"] });
  probe.request("eds", named("a"));
  probe.ack("eds", named("a"));
  probe.publish({ eds: ["a=2", "b"] });
  expect(probe.request("eds", { responseNonce: "1", ...named("a", "b") })).toEqual([]);
  expect(probe.ack("eds", named("a", "b"))).toEqual(["eds +b"]);
});

test("29: a first request without names asks for all listeners and clusters", () => {
  expect(sotwProbe({ lds: ["a", "b"] }).request("lds")).toEqual(["lds +a,b"]);
});

test("30: * together with a name asks for all", () => {
  expect(sotwProbe({ lds: ["a", "b"] }).request("lds", named("*", "a"))).toEqual(["lds +a,b"]);
});

test("31: from nothing to {*, a} to {a} leaves a", () => {
  const probe = sotwProbe({ cds: ["a", "b"] });
  probe.request("cds");
  probe.ack("cds", named("*", "a"));
  probe.ack("cds", named("*", "a"));
  expect(probe.request("cds", { responseNonce: probe.nonce("cds"), ...named("a") })).toEqual([]);
  expect(probe.publish({ cds: ["a", "b=2"] })).toEqual([]);
  expect(probe.publish({ cds: ["a=2", "b=2"] })).toEqual(["cds +a"]);
});

test("32: from {a} to nothing unsubscribes from everything, without an answer", () => {
  const probe = sotwProbe({ cds: ["a", "b"] });
  probe.request("cds", named("a"));
  expect(probe.ack("cds", named())).toEqual([]);
  expect(probe.publish({ cds: ["a=2", "b=2"] })).toEqual([]);
});

test("33: a first request without names for endpoints asks for nothing", () => {
  expect(sotwProbe({ eds: ["a"] }).request("eds")).toEqual([]);
});

test("34: named resources alone are sent", () => {
  expect(sotwProbe({ lds: ["a", "b"] }).request("lds", named("b"))).toEqual(["lds +b"]);
});

test("35: listeners and clusters come whole even if one changed", () => {
  const probe = sotwProbe({ cds: ["a", "b"] });
  probe.request("cds");
  probe.ack("cds");
  expect(probe.publish({ cds: ["a=2", "b"] })).toEqual(["cds +a,b"]);
});

test("36: of other types only what changed is sent", () => {
  const probe = sotwProbe({ eds: ["a", "b"] });
  probe.request("eds", named("a", "b"));
  probe.ack("eds", named("a", "b"));
  expect(probe.publish({ eds: ["a=2", "b"] })).toEqual(["eds +a"]);
});

test("37: a name that is added is answered though its resource did not change", () => {
  const probe = sotwProbe({ eds: ["a", "b"] });
  probe.request("eds", named("a"));
  expect(probe.ack("eds", named("a", "b"))).toEqual(["eds +b"]);
});

test("38, 39: a removed name is forgotten, and sent again when it is added again", () => {
  const probe = sotwProbe({ eds: ["a", "b"] });
  probe.request("eds", named("a", "b"));
  expect(probe.ack("eds", named("b"))).toEqual([]);
  expect(probe.publish({ eds: ["a=2", "b"] })).toEqual([]);
  expect(probe.request("eds", { responseNonce: probe.nonce("eds"), ...named("a", "b") })).toEqual(["eds +a"]);
});

test("41: the last listener's deletion is an empty response with a new version and nonce", () => {
  const probe = sotwProbe({ lds: ["a"] });
  probe.request("lds");
  const { version, nonce } = probe.newest;
  probe.ack("lds");
  expect(probe.publish({})).toEqual(["lds -a"]);
  const wire = fromBinary(DiscoveryResponseSchema, sotwProtocol.encode(probe.newest, plain));
  expect(wire.resources).toEqual([]);
  expect(wire.versionInfo).not.toBe(version);
  expect(wire.nonce).not.toBe(nonce);
});

test("42: the deletion of endpoints needs no response", () => {
  const probe = sotwProbe({ eds: ["a", "b"] });
  probe.request("eds", named("a", "b"));
  probe.ack("eds", named("a", "b"));
  expect(probe.publish({ eds: ["b"] })).toEqual([]);
  expect(probe.publish({ eds: ["a", "b"] })).toEqual(["eds +a"]);
});

test("71: clusters that listeners still name stay in the whole set until those were replaced", () => {
  const probe = sotwProbe({ cds: ["old"], lds: ["l"] });
  probe.request("cds");
  probe.request("lds");
  probe.ack("cds");
  probe.ack("lds");
  expect(probe.publish({ cds: ["new"], lds: ["l=2"] })).toEqual(["cds +new,old", "lds +l"]);
  probe.ack("cds");
  expect(probe.ack("lds")).toEqual(["cds +new -old"]);
});

test("75: endpoints that nobody knows are an empty set, sent once", () => {
  const probe = sotwProbe({});
  expect(probe.request("eds", named("gone"))).toEqual(["eds +gone -gone"]);
  const wire = fromBinary(DiscoveryResponseSchema, sotwProtocol.encode(probe.newest, plain));
  const assignment = fromBinary(ClusterLoadAssignmentSchema, wire.resources[0]!.value);
  expect(assignment).toMatchObject({ clusterName: "gone", endpoints: [] });
  expect(probe.ack("eds", named("gone"))).toEqual([]);
  expect(probe.publish({ eds: ["gone"] })).toEqual(["eds +gone"]);
});

test("77: a reconnecting client that claims the newest version is answered all the same", () => {
  const before = sotwProbe({ cds: ["a"] });
  before.request("cds");
  const probe = sotwProbe({ cds: ["a"] });
  const claim = { versionInfo: before.newest.version, responseNonce: before.newest.nonce };
  expect(probe.request("cds", claim)).toEqual(["cds +a"]);
});

test("a response on the wire has its type, version, nonce and resources", () => {
  const probe = sotwProbe({ cds: ["a", "b"] });
  probe.request("cds");
  const wire = fromBinary(DiscoveryResponseSchema, sotwProtocol.encode(probe.newest, plain));
  expect(wire).toMatchObject({ typeUrl: typeUrls.cluster, nonce: "1", versionInfo: probe.newest.version });
  expect(wire.resources.map(({ typeUrl }) => typeUrl)).toEqual([typeUrls.cluster, typeUrls.cluster]);
});
