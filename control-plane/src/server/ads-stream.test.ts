// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { replayOverSockets } from "../testing/replay-over-sockets.ts";
import { deltaProbe, sotwProbe } from "../testing/stream-probe.ts";

replayOverSockets({ beforeAll, beforeEach, afterEach, afterAll });

// The numbers in front are the rules of the xDS protocol that both variants share.
const variants = [
  ["delta", deltaProbe],
  ["sotw", sotwProbe],
] as const;

const everything = { cds: ["c"], eds: ["c"], lds: ["l"], rds: ["r"], ecds: ["f"] };

for (const [variant, probeOf] of variants) {
  const named = (...names: string[]): object =>
    variant === "delta" ? { resourceNamesSubscribe: names } : { resourceNames: names };
  // A SotW request repeats all names, an ACK too.
  const still = (...names: string[]): object => (variant === "delta" ? {} : { resourceNames: names });

  test(`1: ${variant}: binds the stream to the node of the first request and needs it no more`, () => {
    const probe = probeOf({ cds: ["a"] });
    expect(probe.request("cds")).toEqual(["cds +a"]);
    expect(probe.request("lds")).toEqual(["lds"]);
    probe.request("cds", { responseNonce: probe.nonce("cds") });
    const bound = probe.effects.filter(({ kind }) => kind === "bind");
    expect(bound).toMatchObject([{ node: { id: "n1", userAgentName: "msm-proxy" } }]);
  });

  test.each([{}, { node: {} }])(
    `3: ${variant}: ends a stream whose first request has no node id (%j)`,
    (node) => {
      const probe = probeOf();
      probe.request("cds", { node: undefined, ...node });
      expect(probe.effects).toEqual([
        { kind: "end", status: "INVALID_ARGUMENT", message: "missing node information: node.id" },
      ]);
    },
  );

  test(`4: ${variant}: ends a stream on a request without a type`, () => {
    const probe = probeOf();
    probe.request("");
    expect(probe.effects).toMatchObject([{ kind: "end", message: "type URL is required for ADS" }]);
  });

  test(`6: ${variant}: answers nothing for an unknown type and keeps the stream`, () => {
    const probe = probeOf({ cds: ["a"] });
    expect(probe.request("type.googleapis.com/unheard.Of", named("x"))).toEqual([]);
    expect(probe.request("cds")).toEqual(["cds +a"]);
  });

  test(`99: ${variant}: waits for the first snapshot and then answers what was asked before`, () => {
    const probe = probeOf();
    expect(probe.request("cds")).toEqual([]);
    expect(probe.publish({ cds: ["a"] })).toEqual(["cds +a"]);
  });

  test(`17: ${variant}: answers nothing to an ACK`, () => {
    const probe = probeOf({ cds: ["a"] });
    probe.request("cds");
    expect(probe.ack("cds")).toEqual([]);
    expect(probe.effects.at(-1)).toMatchObject({ kind: "accepted", nonce: "1", entries: [{ name: "a" }] });
  });

  test(`18, 19: ${variant}: after a NACK sends the same version no more, but the next one`, () => {
    const probe = probeOf({ cds: ["a"] });
    probe.request("cds");
    expect(probe.nack("cds")).toEqual([]);
    expect(probe.effects.at(-1)).toMatchObject({ kind: "refused", error: "bad" });
    expect(probe.publish({ cds: ["a"], lds: ["l"] })).toEqual([]);
    expect(probe.publish({ cds: ["a=2"] })).toEqual(["cds +a"]);
  });

  test(`21: ${variant}: takes an answer with an old nonce for no answer`, () => {
    const probe = probeOf({ cds: ["a"] });
    probe.request("cds");
    const old = probe.nonce("cds");
    probe.ack("cds");
    probe.publish({ cds: ["a=2"] });
    probe.request("cds", { responseNonce: old, errorDetail: { message: "late" } });
    expect(probe.effects.filter(({ kind }) => kind === "refused")).toEqual([]);
    expect(probe.publish({ cds: ["a=3"] })).toEqual([]);
    expect(probe.ack("cds")).toEqual(["cds +a"]);
  });

  test(`16: ${variant}: takes a first request with a nonce from an earlier stream for a first request`, () => {
    const probe = probeOf({ cds: ["a"] });
    expect(probe.request("cds", { responseNonce: "77", versionInfo: "old" })).toEqual(["cds +a"]);
  });

  test(`91: ${variant}: has one response of a type in flight, and then sends the newest state`, () => {
    const probe = probeOf({ cds: ["a=1"] });
    probe.request("cds");
    for (const content of [2, 3, 4]) expect(probe.publish({ cds: [`a=${content}`] })).toEqual([]);
    expect(probe.ack("cds")).toEqual(["cds +a"]);
    expect(probe.ack("cds")).toEqual([]);
  });

  test(`15: ${variant}: gives every response its own nonce`, () => {
    const probe = probeOf(everything);
    probe.request("cds");
    probe.request("lds");
    probe.request("eds", named("c"));
    const nonces = ["cds", "lds", "eds"].map((type) => probe.nonce(type as "cds"));
    expect(new Set(nonces).size).toBe(3);
    expect(nonces).not.toContain("");
  });

  test(`70: ${variant}: sends a change of all types in the order CDS, EDS, LDS, RDS, others`, () => {
    const probe = probeOf({});
    for (const type of ["ecds", "rds", "eds"] as const) {
      probe.request(type, named({ ecds: "f", rds: "r", eds: "c" }[type]));
      if (probe.nonce(type) !== "") probe.ack(type, still({ ecds: "f", rds: "r", eds: "c" }[type]));
    }
    for (const type of ["lds", "cds"] as const) {
      probe.request(type);
      probe.ack(type);
    }
    expect(probe.publish(everything)).toEqual(["cds +c", "eds +c", "lds +l", "rds +r", "ecds +f"]);
  });

  test(`${variant}: holds listeners back while a newer set of clusters waits for an answer`, () => {
    const probe = probeOf({ cds: ["a"], lds: ["l"] });
    probe.request("cds");
    probe.request("lds");
    probe.ack("lds");
    expect(probe.publish({ cds: ["a", "b"], lds: ["l=2"] })).toEqual([]);
    const sent = probe.ack("cds");
    expect(sent.map((response) => response.slice(0, 3))).toEqual(["cds", "lds"]);
  });

  test(`72: ${variant}: sends endpoints again after their cluster changed, though they did not`, () => {
    const probe = probeOf({ cds: ["c"], eds: ["c"] });
    probe.request("cds");
    probe.request("eds", named("c"));
    probe.ack("cds");
    probe.ack("eds", still("c"));
    expect(probe.publish({ cds: ["c=2"], eds: ["c"] })).toEqual(["cds +c", "eds +c"]);
  });

  test(`40: ${variant}: pushes a named resource when it comes into being`, () => {
    const probe = probeOf({});
    probe.request("rds", named("r"));
    if (probe.nonce("rds") !== "") probe.ack("rds", still("r"));
    expect(probe.publish({ rds: ["r", "other"] })).toEqual(["rds +r"]);
  });

  test(`${variant}: ends a stream that asks for too many types`, () => {
    const probe = probeOf({});
    for (let index = 0; index < 100; index++) probe.request(`type.googleapis.com/t${index}`);
    expect(probe.effects.at(-1)).toMatchObject({ kind: "end", status: "RESOURCE_EXHAUSTED" });
  });
}
