// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { create, typeUrls } from "@msm/xds-protos";
import { RuntimeSchema } from "@msm/xds-protos/envoy/service/runtime/v3/rtds_pb.js";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { createEntry } from "../snapshot/resource-entry.ts";
import { createSnapshot } from "../snapshot/snapshot.ts";
import { replayOverSockets } from "../testing/replay-over-sockets.ts";
import { deltaProbe, sotwProbe } from "../testing/stream-probe.ts";

replayOverSockets({ beforeAll, beforeEach, afterEach, afterAll });

// More rules that both variants share; the numbers are those of conformance/xds/README.md.
const variants = [
  ["delta", deltaProbe],
  ["sotw", sotwProbe],
] as const;

for (const [variant, probeOf] of variants) {
  const isDelta = variant === "delta";
  const named = (...names: string[]): object =>
    isDelta ? { resourceNamesSubscribe: names } : { resourceNames: names };
  const without = (gone: string, ...left: string[]): object =>
    isDelta ? { resourceNamesUnsubscribe: [gone] } : { resourceNames: left };
  const still = (...names: string[]): object => (isDelta ? {} : { resourceNames: names });

  test(`2: ${variant}: accepts the same node again, and no other on the same stream`, () => {
    const probe = probeOf({ cds: ["a"] });
    const node = { id: "n1", userAgentName: "msm-proxy" };
    probe.request("cds", { node });
    expect(probe.ack("cds", { node })).toEqual([]);
    expect(probe.effects.filter(({ kind }) => kind === "bind")).toHaveLength(1);
    probe.request("cds", { node: { id: "n2" } });
    expect(probe.effects.at(-1)).toMatchObject({ kind: "end", status: "INVALID_ARGUMENT" });
  });

  test(`20: ${variant}: takes error_detail for a refusal, even beside the version that was sent`, () => {
    const probe = probeOf({ cds: ["a"] });
    probe.request("cds");
    probe.nack("cds", isDelta ? {} : { versionInfo: probe.newest.version });
    expect(probe.effects.at(-1)).toMatchObject({ kind: "refused", entries: [{ name: "a" }] });
  });

  test(`21: ${variant}: reports the refusal of a response that was replaced, and blames no newer one`, () => {
    const probe = probeOf({ cds: ["a"] });
    probe.request("cds");
    const old = probe.nonce("cds");
    probe.ack("cds");
    probe.publish({ cds: ["a=2"] });
    probe.request("cds", { responseNonce: old, errorDetail: { code: 3, message: "late" } });
    expect(probe.effects.map(({ kind }) => kind)).toContain("refusedLate");
    expect(probe.effects.map(({ kind }) => kind)).not.toContain("refused");
  });

  test(`27: ${variant}: of several requests before there is anything to say answers the newest alone`, () => {
    const probe = probeOf();
    probe.request("eds", named("a"));
    probe.request("eds", named("a", "b"));
    expect(probe.publish({ eds: ["a", "b"] })).toEqual(["eds +a,b"]);
    expect(probe.ack("eds", still("a", "b"))).toEqual([]);
  });

  test(`43: ${variant}: a name asked for twice, or beside *, is sent once`, () => {
    const probe = probeOf({ cds: ["a"], eds: ["a"] });
    expect(probe.request("eds", named("a", "a"))).toEqual(["eds +a"]);
    expect(probe.request("cds", named("*", "a", "a"))).toEqual(["cds +a"]);
  });

  test(`44: ${variant}: what waits for an ACK is not sent when it is not wanted any more`, () => {
    const probe = probeOf({ eds: ["a", "b"] });
    probe.request("eds", named("a", "b"));
    probe.publish({ eds: ["a=2", "b"] });
    expect(probe.ack("eds", without("a", "b"))).toEqual([]);
  });

  test(`45: ${variant}: many names in one request, or one name on each of many streams, are the same`, () => {
    const names = Array.from({ length: 100 }, (_, index) => `c${index}`);
    const probe = probeOf({ eds: names });
    probe.request("eds", named(...names));
    const alone = names.map((name) => {
      const single = probeOf({ eds: names });
      single.request("eds", named(name));
      return single.newest.entries.map((entry) => entry.name);
    });
    expect(probe.newest.entries.map(({ name }) => name).sort()).toEqual(alone.flat().sort());
  });

  test(`76: ${variant}: a cluster without endpoints gets an empty assignment`, () => {
    const probe = probeOf({ cds: ["c"], eds: ["c=0"] });
    probe.request("cds");
    expect(probe.request("eds", named("c"))).toEqual(["eds +c"]);
  });

  test(`80: ${variant}: leaves a client waiting for what is being made, and says so of the rest`, () => {
    const asked: string[] = [];
    const isBeingMade = (_typeUrl: string, name: string): boolean => asked.push(name) > 0 && name === "lazy";
    const probe = probeOf({}, { isBeingMade });
    expect(probe.request("eds", named("lazy"))).toEqual([]);
    expect(probe.publish({ cds: ["x"] })).toEqual([]);
    expect(asked).toEqual(["lazy"]);
    expect(probe.publish({ eds: ["lazy"] })).toEqual(["eds +lazy"]);
    probe.ack("eds", still("lazy"));
    const never = probe.request("eds", { responseNonce: probe.nonce("eds"), ...named("lazy", "never") });
    expect(never.join()).toContain("-never");
  });

  test(`86: ${variant}: takes names for the same whose context parameters stand in another order or encoding`, () => {
    const served = "xdstp://mesh/envoy.config.endpoint.v3.ClusterLoadAssignment/web?zone=a&env=prod%20eu";
    const asked = "xdstp://mesh/envoy.config.endpoint.v3.ClusterLoadAssignment/w%65b?env=prod eu&zone=%61";
    const probe = probeOf({ eds: [served] });
    probe.request("eds", named(asked));
    expect(probe.newest.entries).toHaveLength(1);
    expect(probe.newest.removed).toEqual([]);
    expect(probe.ack("eds", without(served))).toEqual([]);
    expect(probe.publish({ eds: [`${served}=2`] })).toEqual([]);
  });

  test(`87: ${variant}: serves names of the old and the new form on one stream`, () => {
    const global = "xdstp://mesh/envoy.config.listener.v3.Listener/echo.msm";
    const probe = probeOf({ lds: ["echo.msm", global] });
    probe.request("lds", named("echo.msm", global));
    expect(probe.newest.entries.map(({ name }) => name).sort()).toEqual(["echo.msm", global]);
  });

  test(`90: ${variant}: says so when a node tells something new of itself`, () => {
    const probe = probeOf({ cds: ["a"] });
    probe.request("cds");
    probe.ack("cds", { node: { id: "n1", userAgentName: "msm-proxy", locality: { zone: "b" } } });
    const zones = probe.effects.flatMap((effect) =>
      effect.kind === "bind" ? [effect.node.locality?.zone] : [],
    );
    expect(zones).toEqual([undefined, "b"]);
  });

  test(`${variant}: serves any type that is in the snapshot, and its end`, () => {
    const entry = createEntry(RuntimeSchema, "r", create(RuntimeSchema, { name: "r" }));
    const probe = probeOf();
    probe.publishSnapshot(createSnapshot([entry]));
    probe.request(typeUrls.runtime, named("r"));
    expect(probe.newest.entries.map(({ name }) => name)).toEqual(["r"]);
    probe.ack(typeUrls.runtime, still("r"));
    const gone = probe.publishSnapshot(createSnapshot([]));
    expect(gone).toEqual(isDelta ? [`${typeUrls.runtime} -r`] : []);
  });
}

test("67: a glob means all resources of its folder, as they come and go, beside exact names", () => {
  const folder = "xdstp://mesh/envoy.config.endpoint.v3.ClusterLoadAssignment/shop";
  const [web, api, deep, other] = [`${folder}/web`, `${folder}/api`, `${folder}/sub/web`, "plain"];
  const subscribe = (...names: string[]): object => ({ resourceNamesSubscribe: names });
  const probe = deltaProbe({ eds: [web, deep, other] });
  expect(probe.request("eds", subscribe(`${folder}/*`))).toEqual([`eds +${web}`]);
  expect(probe.ack("eds", subscribe("plain"))).toEqual(["eds +plain"]);
  probe.ack("eds");
  expect(probe.publish({ eds: [web, api, deep, other] })).toEqual([`eds +${api}`]);
  probe.ack("eds");
  expect(probe.publish({ eds: [api, deep, other] })).toEqual([`eds -${web}`]);
  expect(probe.ack("eds", { resourceNamesUnsubscribe: [`${folder}/*`] })).toEqual([]);
  expect(probe.publish({ eds: [`${api}=2`, deep, `${other}=2`] })).toEqual(["eds +plain"]);
  const empty = deltaProbe({ eds: [] });
  expect(empty.request("eds", subscribe(`${folder}/*`))).toEqual(["eds"]);
});

test("69: clients of both variants have the same content after the same changes", () => {
  const clients = variants.map(([variant, probeOf]) => {
    const probe = probeOf({ cds: ["a", "b"] });
    const held = new Map<string, string>();
    const take = (): void => {
      const { entries, removed } = probe.newest;
      if (variant === "sotw") held.clear();
      for (const { name, version } of entries) held.set(name, version);
      for (const name of removed) held.delete(name);
      probe.ack("cds");
    };
    probe.request("cds");
    take();
    probe.publish({ cds: ["b=2", "c"] });
    take();
    return Object.fromEntries([...held].sort());
  });
  expect(Object.keys(clients[0]!)).toEqual(["b", "c"]);
  expect(clients[0]).toEqual(clients[1]);
});

test("22: sotw: answers nothing to a request with an old nonce", () => {
  const probe = sotwProbe({ eds: ["a", "b"] });
  probe.request("eds", { resourceNames: ["a"] });
  probe.ack("eds", { resourceNames: ["a"] });
  probe.publish({ eds: ["a=2", "b"] });
  expect(probe.request("eds", { responseNonce: "1", resourceNames: ["a", "b"] })).toEqual([]);
});

test("33: sotw: a type that comes whole is all wanted by default, if the server says that it is one", () => {
  const probe = sotwProbe({ rds: ["a", "b"] }, { wholeTypes: new Set([typeUrls.routeConfiguration]) });
  expect(probe.request("rds")).toEqual(["rds +a,b"]);
});

test("74: notices a client that came back with endpoints and asks for no clusters", () => {
  const probe = deltaProbe({ cds: ["c"], eds: ["c"] });
  probe.request("eds", { resourceNamesSubscribe: ["c"], initialResourceVersions: { c: "old" } });
  expect(probe.stream.lacksClusters).toBe(true);
  probe.request("cds");
  expect(probe.stream.lacksClusters).toBe(false);
});

test("a stream for one type alone removes without waiting for types that it will never see", () => {
  const probe = deltaProbe({ cds: [] }, { isAggregated: false });
  expect(probe.request("cds", { initialResourceVersions: { gone: "v" } })).toEqual(["cds -gone"]);
});

test("63: a resource is asked for, and let go, by its name or any of its aliases", () => {
  const entry = (content: string) =>
    createEntry(RuntimeSchema, "r", create(RuntimeSchema, { name: content }), {
      aliases: ["other", "third"],
    });
  const probe = deltaProbe();
  probe.publishSnapshot(createSnapshot([entry("1")]));
  const type = `${typeUrls.runtime}`;
  expect(probe.request(type, { resourceNamesSubscribe: ["other"] })).toEqual([`${type} +r`]);
  probe.ack(type);
  expect(probe.publishSnapshot(createSnapshot([entry("2")]))).toEqual([`${type} +r`]);
  expect(probe.ack(type, { resourceNamesUnsubscribe: ["other"] })).toEqual([]);
  expect(probe.publishSnapshot(createSnapshot([entry("3")]))).toEqual([]);
});
