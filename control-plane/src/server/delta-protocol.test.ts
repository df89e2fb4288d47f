// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { fromBinary, typeUrls } from "@msm/xds-protos";
import { DeltaDiscoveryResponseSchema } from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { resourcesOf } from "../snapshot/snapshot.ts";
import { replayOverSockets } from "../testing/replay-over-sockets.ts";
import { deltaProbe } from "../testing/stream-probe.ts";
import { snapshotOf } from "../testing/test-snapshot.ts";
import { deltaProtocol } from "./delta-protocol.ts";

replayOverSockets({ beforeAll, beforeEach, afterEach, afterAll });

const plain = { identifier: "", usesTtl: false };
const subscribe = (...names: string[]): object => ({ resourceNamesSubscribe: names });
const unsubscribe = (...names: string[]): object => ({ resourceNamesUnsubscribe: names });
const has = (names: Readonly<Record<string, string>>): object => ({ initialResourceVersions: names });

const versionOf = (typeUrl: string, names: Parameters<typeof snapshotOf>[0], name: string): string =>
  resourcesOf(snapshotOf(names), typeUrl).get(name)!.version;

test("46: answers a first wildcard request even when there is nothing", () => {
  expect(deltaProbe({}).request("cds")).toEqual(["cds"]);
});

test("47: a legacy wildcard stays one when a name is added", () => {
  const probe = deltaProbe({ cds: ["a", "b"] });
  probe.request("cds");
  probe.ack("cds");
  expect(probe.request("cds", subscribe("a"))).toEqual(["cds +a"]);
  probe.ack("cds");
  expect(probe.publish({ cds: ["a", "b=2"] })).toEqual(["cds +b"]);
});

test("48: unsubscribing from * keeps what is named", () => {
  const probe = deltaProbe({ cds: ["a", "b"] });
  probe.request("cds", subscribe("*", "a"));
  probe.ack("cds", unsubscribe("*"));
  expect(probe.publish({ cds: ["a=2", "b=2"] })).toEqual(["cds +a"]);
});

test("49: unsubscribing from the last name leaves nothing, not everything", () => {
  const probe = deltaProbe({ cds: ["a", "b"] });
  probe.request("cds", subscribe("a"));
  probe.ack("cds", unsubscribe("a"));
  expect(probe.publish({ cds: ["a=2", "b=2"] })).toEqual([]);
});

test("50: subscribing to and unsubscribing from * at first subscribes to nothing", () => {
  const probe = deltaProbe({ cds: ["a"] });
  expect(probe.request("cds", { ...subscribe("*"), ...unsubscribe("*") })).toEqual([]);
});

test("51: at reconnecting sends what differs, names what is gone, and leaves out what is the same", () => {
  const names = { cds: ["same", "newer=2"] };
  const probe = deltaProbe(names);
  const same = versionOf(typeUrls.cluster, names, "same");
  expect(probe.request("cds", has({ same, newer: "old", gone: "any" }))).toEqual(["cds +newer"]);
  probe.ack("cds");
  // The client's old listeners may name the cluster that is gone: they come first.
  expect(probe.request("lds", has({ gone: "any" }))).toEqual(["lds -gone"]);
  expect(probe.ack("lds")).toEqual(["cds -gone"]);
});

test("51: at reconnecting with everything the same sends an empty answer and knows what the client has", () => {
  const names = { cds: ["a"], eds: ["a"] };
  const probe = deltaProbe(names);
  probe.request("cds", has({ a: versionOf(typeUrls.cluster, names, "a") }));
  expect(probe.newest.entries).toEqual([]);
  const held = { ...has({ a: versionOf(typeUrls.clusterLoadAssignment, names, "a") }), ...subscribe("a") };
  expect(probe.request("eds", held)).toEqual([]);
  expect(probe.effects.at(-1)).toMatchObject({ kind: "accepted", nonce: "", entries: [{ name: "a" }] });
});

test("52: a resource that the client has in an unknown version is sent", () => {
  expect(deltaProbe({ cds: ["a"] }).request("cds", has({ a: "" }))).toEqual(["cds +a"]);
});

test("53: only the first request of a type says what the client has", () => {
  const names = { cds: ["a"] };
  const probe = deltaProbe(names);
  probe.request("cds", { ...subscribe("*"), ...unsubscribe("*") });
  const again = { ...subscribe("a"), ...has({ a: versionOf(typeUrls.cluster, names, "a") }) };
  expect(probe.request("cds", again)).toEqual(["cds +a"]);
});

test("54: of many resources sends exactly the one that changed", () => {
  const probe = deltaProbe({ eds: ["a", "b", "c"] });
  probe.request("eds", subscribe("a", "b", "c"));
  probe.ack("eds");
  expect(probe.publish({ eds: ["a", "b=2", "c"] })).toEqual(["eds +b"]);
});

test("55: names a deleted resource once, and sends it when it is back", () => {
  const probe = deltaProbe({ lds: ["a", "b"] });
  probe.request("lds");
  probe.ack("lds");
  expect(probe.publish({ lds: ["b"] })).toEqual(["lds -a"]);
  probe.ack("lds");
  expect(probe.publish({ lds: ["b=2"] })).toEqual(["lds +b"]);
  probe.ack("lds");
  expect(probe.publish({ lds: ["a", "b=2"] })).toEqual(["lds +a"]);
});

test("56, 75: says at once that a name does not exist", () => {
  expect(deltaProbe({}).request("eds", subscribe("nobody"))).toEqual(["eds -nobody"]);
});

test("57: sends a resource again when it is subscribed to again", () => {
  const probe = deltaProbe({ eds: ["a"] });
  probe.request("eds", subscribe("a"));
  probe.ack("eds");
  expect(probe.request("eds", subscribe("a"))).toEqual(["eds +a"]);
});

test("58: answers nothing to unsubscribing, even from what was never subscribed to", () => {
  const probe = deltaProbe({ eds: ["a"] });
  probe.request("eds", subscribe("a"));
  probe.ack("eds");
  expect(probe.request("eds", unsubscribe("a", "phantom"))).toEqual([]);
  expect(probe.publish({ eds: ["a=2"] })).toEqual([]);
});

test("59: under a wildcard answers the unsubscription of a name with what the wildcard has of it", () => {
  const probe = deltaProbe({ cds: ["a"] });
  probe.request("cds", subscribe("*", "a", "phantom"));
  probe.ack("cds");
  expect(probe.request("cds", unsubscribe("a"))).toEqual(["cds +a"]);
  probe.ack("cds");
  expect(probe.request("cds", unsubscribe("phantom"))).toEqual(["cds -phantom"]);
});

test("60: honours subscriptions in a request with an old nonce", () => {
  const probe = deltaProbe({ eds: ["a", "b"] });
  probe.request("eds", subscribe("a"));
  probe.ack("eds");
  expect(probe.request("eds", { responseNonce: "0", ...subscribe("b") })).toEqual(["eds +b"]);
});

test("61: takes a request without a nonce for no answer", () => {
  const probe = deltaProbe({ eds: ["a", "b"] });
  probe.request("eds", subscribe("a"));
  expect(probe.request("eds", subscribe("b"))).toEqual([]);
  expect(probe.ack("eds")).toEqual(["eds +b"]);
});

test("62: applies the subscriptions of a NACK", () => {
  const probe = deltaProbe({ eds: ["a", "b"] });
  probe.request("eds", subscribe("a"));
  expect(probe.nack("eds", subscribe("b"))).toEqual(["eds +b"]);
});

test("63, 64, 65: a resource on the wire has its name, content version and bytes", () => {
  const probe = deltaProbe({ eds: ["a"] });
  probe.request("eds", subscribe("a", "gone"));
  const response = fromBinary(DeltaDiscoveryResponseSchema, deltaProtocol.encode(probe.newest, plain));
  const version = versionOf(typeUrls.clusterLoadAssignment, { eds: ["a"] }, "a");
  expect(response).toMatchObject({
    typeUrl: typeUrls.clusterLoadAssignment,
    nonce: "1",
    removedResources: ["gone"],
    resources: [{ name: "a", version, resource: { typeUrl: typeUrls.clusterLoadAssignment } }],
  });
  expect(response.systemVersionInfo).toBe(snapshotOf({ eds: ["a"] }).version);
});

test("66: splits what is larger than a gRPC message into responses that are answered one by one", () => {
  const twoMiB = 2 * 1024 * 1024;
  const probe = deltaProbe({ ecds: [`a=${twoMiB}`, `b=${twoMiB}`, "c=9"] });
  expect(probe.request("ecds", subscribe("a", "b", "c"))).toEqual(["ecds +a"]);
  expect(probe.ack("ecds")).toEqual(["ecds +b,c"]);
  expect(probe.ack("ecds")).toEqual([]);
});

test("68: announces the end of a filter only to those who have it, after listeners stopped naming it", () => {
  const probe = deltaProbe({ lds: ["l"], ecds: ["f"] });
  expect(probe.request("ecds", subscribe("never"))).toEqual([]);
  probe.request("ecds", subscribe("f"));
  probe.ack("ecds");
  probe.request("lds");
  probe.ack("lds");
  expect(probe.publish({ lds: ["l=2"] })).toEqual(["lds +l"]);
  expect(probe.ack("lds")).toEqual(["ecds -f"]);
});

test("71: removes a cluster only after the listeners that named it were replaced and answered for", () => {
  const probe = deltaProbe({ cds: ["old"], lds: ["l"] });
  probe.request("cds");
  probe.request("lds");
  probe.ack("cds");
  probe.ack("lds");
  expect(probe.publish({ cds: ["new"], lds: ["l=2"] })).toEqual(["cds +new", "lds +l"]);
  expect(probe.ack("cds")).toEqual([]);
  expect(probe.ack("lds")).toEqual(["cds -old"]);
});

test("71: keeps the old cluster of a proxy that refused the new listeners", () => {
  const probe = deltaProbe({ cds: ["old"], lds: ["l"] });
  probe.request("cds");
  probe.request("lds");
  probe.ack("cds");
  probe.ack("lds");
  probe.publish({ cds: ["new"], lds: ["l=2"] });
  probe.ack("cds");
  expect(probe.nack("lds")).toEqual([]);
});

test("73: pushes endpoints unasked once the cluster that waits for them was answered", () => {
  const names = { cds: ["c=2"], eds: ["c"] };
  const probe = deltaProbe(names);
  const held = has({ c: versionOf(typeUrls.clusterLoadAssignment, names, "c") });
  expect(probe.request("eds", { ...subscribe("c"), ...held })).toEqual([]);
  expect(probe.request("cds", has({ c: "older" }))).toEqual(["cds +c", "eds +c"]);
});

test("takes nothing from a proxy that reconnects while some configuration could not be read", () => {
  const probe = deltaProbe();
  probe.request("lds", has({ unread: "v1", same: "v2" }));
  expect(probe.publish({ lds: ["same"] }, false)).toEqual(["lds +same"]);
  probe.ack("lds");
  expect(probe.publish({ lds: ["same"] }, true)).toEqual(["lds -unread"]);
});

test("while some configuration could not be read still deletes what was deleted since", () => {
  const probe = deltaProbe();
  probe.publish({ lds: ["a", "b"] }, false);
  probe.request("lds");
  probe.ack("lds");
  expect(probe.publish({ lds: ["b"] }, false)).toEqual(["lds -a"]);
});
