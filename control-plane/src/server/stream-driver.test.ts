// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { typeUrls } from "@msm/xds-protos";
import { expect, test } from "vitest";
import { DriverProbe, FakeStream } from "../testing/driver-probe.ts";
import { snapshotOf } from "../testing/test-snapshot.ts";
import type { Peer } from "./peer.ts";

const { cluster, clusterLoadAssignment, secret } = typeUrls;

test("10: a stream that cannot be written to is ended and forgotten", () => {
  const probe = new DriverProbe();
  probe.cache.set("default", snapshotOf({ cds: ["a"] }));
  const stream = probe.connect("n1");
  stream.isBroken = true;
  stream.request(cluster);
  expect(stream.endedWith).toBe("UNAVAILABLE");
  expect(probe.events).toEqual(["opened n1 default", "closed n1"]);
  probe.turn();
  probe.cache.set("default", snapshotOf({ cds: ["b"] }));
  expect(probe.turn()).toBe(0);
});

test("8: a stream that is over is told nothing and leaves no timer, however often that happens", () => {
  const probe = new DriverProbe({ maxAgeMs: 60_000 });
  probe.cache.set("default", snapshotOf({ cds: ["a"] }));
  for (let cycle = 0; cycle < 100; cycle++) {
    const stream = probe.connect(`n${cycle}`);
    stream.request(cluster);
    stream.driver.close();
    stream.driver.close();
  }
  expect(probe.events.filter((event) => event.startsWith("closed"))).toHaveLength(100);
  expect(probe.clock.pending).toBe(0);
  probe.turn();
  probe.cache.set("default", snapshotOf({ cds: ["b"] }));
  expect(probe.turn()).toBe(0);
});

test("89: a change for one group sends nothing to another", () => {
  const probe = new DriverProbe();
  for (const zone of ["a", "b"]) probe.cache.set(zone, snapshotOf({ cds: ["x"] }));
  const [a, b] = [probe.connect("n1", "a"), probe.connect("n2", "b")];
  for (const stream of [a, b]) {
    stream.request(cluster);
    stream.ack();
  }
  probe.cache.set("a", snapshotOf({ cds: ["x", "y"] }));
  probe.turn();
  expect([a.responses.length, b.responses.length]).toEqual([2, 1]);
});

test("89: what one node has beside its group goes to that node alone, replaces and gives way", () => {
  const probe = new DriverProbe();
  const own = [
    ...snapshotOf({ cds: ["x=2", "inbound"] })
      .types.get(cluster)!
      .values(),
  ];
  probe.cache.set("default", snapshotOf({ cds: ["x"], eds: ["x"] }));
  probe.cache.setOverlay("n1", own);
  const [one, other] = [probe.connect("n1"), probe.connect("n2")];
  for (const stream of [one, other]) {
    stream.request(cluster);
    stream.ack();
  }
  const counts = () =>
    [one, other].map(({ responses }) => responses.map(({ resources }) => resources.length));
  expect(counts()).toEqual([[2], [1]]);
  const [mine, others] = ["n1", "n2"].map((id) => probe.cache.get("default", id)!.types);
  expect(mine!.get(clusterLoadAssignment)).toBe(others!.get(clusterLoadAssignment));
  probe.cache.set("default", snapshotOf({ cds: ["x", "y"] }));
  probe.turn();
  for (const stream of [one, other]) stream.ack();
  expect(counts()).toEqual([
    [2, 3],
    [1, 2],
  ]);
  probe.cache.setOverlay("n1", []);
  probe.turn();
  expect(counts()).toEqual([
    [2, 3, 2],
    [1, 2],
  ]);
});

test("90: a node that moves to another group is sent that group's snapshot, and its changes alone", () => {
  const probe = new DriverProbe();
  probe.cache.set("a", snapshotOf({ cds: ["x"] }));
  probe.cache.set("b", snapshotOf({ cds: ["y"] }));
  const stream = probe.connect("n1", "a");
  stream.request(cluster);
  stream.moveTo("b");
  stream.ack();
  expect(stream.responses).toHaveLength(2);
  stream.ack();
  probe.cache.set("a", snapshotOf({ cds: ["z"] }));
  probe.turn();
  expect(stream.responses).toHaveLength(2);
  expect(probe.events).toEqual(["opened n1 a", "opened n1 b"]);
});

test("91: a client that never reads has one response under way for each type, whatever changes", () => {
  const probe = new DriverProbe();
  probe.cache.set("default", snapshotOf({ cds: ["a"], eds: ["a"] }));
  const stream = probe.connect("n1");
  stream.request(cluster);
  stream.request(clusterLoadAssignment, { resourceNames: ["a"] });
  for (let content = 2; content < 500; content++) {
    probe.cache.set("default", snapshotOf({ cds: [`a=${content}`], eds: [`a=${content}`] }));
    probe.turn();
  }
  expect(stream.responses).toHaveLength(2);
});

test("92: a client that leaves a response unanswered is disconnected and counted, and no other", () => {
  const probe = new DriverProbe({ stallTimeoutMs: 1000 });
  probe.cache.set("default", snapshotOf({ cds: ["a"] }));
  const [stalled, healthy] = [probe.connect("stalled"), probe.connect("healthy")];
  for (const stream of [stalled, healthy]) stream.request(cluster);
  healthy.ack();
  probe.clock.advance(1000);
  expect([stalled.endedWith, healthy.endedWith]).toEqual(["DEADLINE_EXCEEDED", undefined]);
  expect(probe.events).toContain("stalled stalled");
});

test("94: requests are answered between the pushes to many streams, and the pushes go on meanwhile", () => {
  const probe = new DriverProbe();
  probe.cache.set("default", snapshotOf({ cds: ["a"] }));
  const streams = Array.from({ length: 200 }, (_, index) => probe.connect(`n${index}`));
  for (const stream of streams) {
    stream.request(cluster);
    stream.ack();
  }
  probe.cache.set("default", snapshotOf({ cds: ["b"] }));
  probe.turn(1);
  const pushed = streams.filter(({ responses }) => responses.length === 2).length;
  expect(pushed).toBeGreaterThan(0);
  expect(pushed).toBeLessThan(200);
  const newcomer = probe.connect("newcomer");
  newcomer.request(cluster);
  expect(newcomer.responses).toHaveLength(1);
  // A request in every turn keeps no push waiting.
  for (let turns = 0; turns < 10; turns++) {
    newcomer.request(cluster, { resourceNames: ["b"] });
    probe.turn(1);
  }
  expect(streams.every(({ responses }) => responses.length === 2)).toBe(true);
});

test("93: changes between two turns are one push, of the last state", () => {
  const probe = new DriverProbe();
  const stream = probe.connect("n1");
  stream.request(cluster);
  for (const name of ["a", "b", "c"]) probe.cache.set("default", snapshotOf({ cds: [name] }));
  probe.turn();
  expect(stream.responses).toHaveLength(1);
  expect(stream.newest.resources).toHaveLength(1);
});

test("96: streams end at their age, spread out, with a status that sends the client elsewhere", () => {
  const chances = [0, 0.5, 1];
  const probe = new DriverProbe({ maxAgeMs: 10_000, random: () => chances.shift()! });
  const streams = ["a", "b", "c"].map((id) => probe.connect(id));
  const ended = (): number => streams.filter(({ endedWith }) => endedWith === "UNAVAILABLE").length;
  const counts = [10_999, 1, 1000, 1000].map((ms) => {
    probe.clock.advance(ms);
    return ended();
  });
  expect(counts).toEqual([0, 1, 2, 3]);
});

test("97: a whole set that is larger than gRPC clients take by default is sent, and reported", () => {
  const probe = new DriverProbe();
  const twoMiB = 2 * 1024 * 1024;
  const names = [`a=${twoMiB}`, `b=${twoMiB}`, `c=${twoMiB}`];
  const context = { ...probe.context, wholeTypes: new Set([typeUrls.typedExtensionConfig]) };
  probe.cache.set("default", snapshotOf({ ecds: names }));
  const stream = new DriverProbe(context).connect("n1");
  stream.request(typeUrls.typedExtensionConfig);
  expect(stream.newest.resources).toHaveLength(3);
  expect(probe.notices).toMatchObject([{ kind: "oversized", typeUrl: typeUrls.typedExtensionConfig }]);
});

test("83: a heartbeat comes twice in a lifetime as long as something expires", () => {
  const probe = new DriverProbe();
  probe.cache.set("default", snapshotOf({ cds: ["a=1~8000"] }));
  const stream = probe.connect("n1");
  const clientFeatures = ["xds.config.supports-resource-ttl", "xds.config.supports-resource-in-sotw"];
  stream.requestWith({ typeUrl: cluster, node: { id: "n1", clientFeatures } });
  const ack = (): void => stream.requestWith({ typeUrl: cluster, responseNonce: stream.newest.nonce });
  ack();
  for (const responses of [2, 3]) {
    probe.clock.advance(4000);
    expect(stream.responses).toHaveLength(responses);
    ack();
  }
  probe.cache.set("default", snapshotOf({ cds: ["a=1"] }));
  probe.turn();
  ack();
  const { length } = stream.responses;
  probe.clock.advance(20_000);
  expect(stream.responses).toHaveLength(length);
});

test("88: the listener that a gRPC server asks for by its address is made when it asks", () => {
  const name = "grpc/server?xds.resource.listening_address=127.0.0.1:50051";
  const probe: DriverProbe = new DriverProbe({
    onMissing: (missing) => {
      if (!missing.name.startsWith("grpc/server?")) return false;
      // The template; a snapshot is set from outside the request that asks for it.
      probe.cache.set(missing.group, snapshotOf({ lds: [missing.name] }));
      return true;
    },
  });
  probe.cache.set("default", snapshotOf({}));
  const stream = probe.connect("n1");
  stream.request(typeUrls.listener, { resourceNames: [name] });
  probe.turn();
  expect(stream.newest.resources).toHaveLength(1);
});

test("answers questions about the server to authenticated peers and those on this machine, and to no other", () => {
  let asked = 0;
  const answer = () => {
    asked++;
    return [];
  };
  const debugTypes = { has: (typeUrl: string) => typeUrl === "debug", answer };
  const ask = (peer: Peer): FakeStream => {
    const stream = new FakeStream(new DriverProbe({ debugTypes }).context, "istioctl", "", peer);
    stream.requestWith({ typeUrl: "debug" });
    return stream;
  };
  const stranger = ask({ address: "10.0.0.1:4000", isAuthenticated: false });
  expect([stranger.endedWith, asked]).toEqual(["PERMISSION_DENIED", 0]);
  const known = ask({ address: "10.0.0.1:4000", isAuthenticated: true });
  const local = ask({ address: "127.0.0.1:4000", isAuthenticated: false });
  expect([known.responses.length, local.responses.length]).toEqual([1, 1]);
});

test.each([
  ["127.0.0.1:4000", false, undefined],
  ["10.0.0.1:4000", true, undefined],
  ["10.0.0.1:4000", false, "PERMISSION_DENIED"],
])(
  "secrets go to peers on this machine and to those with a certificate: %s, %j",
  (address, isAuthenticated, end) => {
    const probe = new DriverProbe();
    probe.cache.set("default", snapshotOf({ sds: ["key"] }));
    const stream = new FakeStream(probe.context, "n1", "", { address, isAuthenticated });
    stream.request(secret, { resourceNames: ["key"] });
    expect([stream.endedWith, stream.responses.length]).toEqual([end, end === undefined ? 1 : 0]);
  },
);
