// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { expect, test } from "vitest";
import { ControlPlaneState } from "./control-plane-state.ts";
import { buildMesh, type Mesh } from "./mesh/mesh.ts";
import { ResourceStore } from "./mesh/resource-store.ts";
import { type KindName, kinds, type Resource } from "./model/index.ts";
import { buildSnapshot } from "./snapshot/build-snapshot.ts";
import { groups } from "./snapshot/group.ts";
import type { Snapshot } from "./snapshot/snapshot.ts";
import { SnapshotCache } from "./snapshot/snapshot-cache.ts";
import type { SourceUpdate } from "./sources/source.ts";
import { backendYaml, classYaml, filterYaml, gatewayYaml, routeYaml, rtspMesh } from "./testing/mesh-yaml.ts";
import { readText } from "./testing/read-text.ts";

const three = ["0", "1", "2"];

const serviceYaml = (name: string, port: string) => `apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { ports: [{ port: ${port}, protocol: UDP }] }
`;
const sliceYaml = (name: string, service: string, host: string) => `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${name}, labels: { kubernetes.io/service-name: ${service} } }
addressType: IPv4
ports: [{ name: "", port: 5000, protocol: UDP }]
endpoints: [{ addresses: [10.0.0.${host}] }]
`;
const viaService = (name: string) =>
  routeYaml({ name, gateway: `g${name.at(-1)}` }).replace(
    /backendRefs:[\s\S]*/,
    "backendRefs: [{ name: s0, port: 1 }, { name: s1, port: 1 }]\n",
  );

/** Documents that go together: each slot holds one of its forms, of which some do not fit the others, or nothing. */
const slots: readonly (readonly string[])[] = [
  [classYaml],
  ...three.map((name) =>
    ["5004", "5005"].map((port) => gatewayYaml({ name: `g${name}`, port: Number(port) + Number(name) })),
  ),
  ...three.map((name) => [
    ...three.map((backend) => routeYaml({ name: `r${name}`, gateway: `g${name}`, backend: `b${backend}` })),
    viaService(`r${name}`),
  ]),
  ...three.map((name) => [1, 2].map((port) => backendYaml({ name: `b${name}`, port }))),
  ...three.slice(0, 2).map((name) => ["1", "2"].map((port) => serviceYaml(`s${name}`, port))),
  ...three.map((name) => three.map((host) => sliceYaml(`e${name}`, `s${Number(host) % 2}`, `1${host}`))),
  ["builtin: rtp-stats", "builtin: rtp-stats\n  priority: 3"].map((more) =>
    filterYaml({ more }).replace("camera", "g0"),
  ),
  [rtspMesh.split("---\n").slice(1).join("---\n"), "kind: Broken\n"],
];

/** Puts another of its forms into a slot, none if -1. */
const edit = fc.record({ slot: fc.nat(slots.length - 1), form: fc.integer({ min: -1, max: 3 }) });

function contentOf(snapshot: Snapshot | undefined): unknown {
  if (snapshot === undefined) return undefined;
  const types = [...snapshot.types].map(([typeUrl, set]) => [
    typeUrl,
    Object.fromEntries(
      [...set.values()].map(({ name, version, origins, references }) => [
        name,
        { version, origins: [...origins].sort(), references },
      ]),
    ),
  ]);
  return { version: snapshot.version, isComplete: snapshot.isComplete, types: Object.fromEntries(types) };
}

/** The same mesh made of other objects: nothing that was found for it before is found again. */
function copyOf(mesh: Mesh): Mesh {
  const copies = (Object.keys(kinds) as KindName[]).flatMap((kind): Resource[] =>
    (mesh[kind].values() as readonly Resource[]).map((resource) => structuredClone(resource)),
  );
  return buildMesh(copies);
}

function updateOf(texts: readonly string[], known: Map<string, SourceUpdate>): SourceUpdate {
  const updates = texts.map((text) => known.get(text) ?? readText(text));
  for (const [index, update] of updates.entries()) known.set(texts[index]!, update);
  return {
    resources: updates.flatMap(({ resources }) => resources),
    refusals: updates.flatMap(({ refusals }) => refusals),
    isComplete: updates.every(({ isComplete }) => isComplete),
  };
}

const history = fc.array(fc.array(edit, { minLength: 1, maxLength: 3 }), { maxLength: 8 });

function* historyOf(changes: readonly (readonly { slot: number; form: number }[])[]): Iterable<SourceUpdate> {
  const forms = slots.map(() => 0);
  const known = new Map<string, SourceUpdate>();
  for (const edits of [[], ...changes]) {
    for (const { slot, form } of edits) forms[slot] = Math.min(form, slots[slot]!.length - 1);
    const texts = forms.flatMap((form, slot) => slots[slot]![form] ?? []);
    yield updateOf(texts, known);
  }
}

test("whatever changes, what is remembered of a translation is what translating everything again gives", () => {
  fc.assert(
    fc.property(history, (changes) => {
      const cache = new SnapshotCache();
      const plane = new ControlPlaneState(cache);
      for (const update of historyOf(changes)) {
        const { mesh, isComplete, refusals } = plane.apply(update).state;
        expect(refusals.filter(({ code }) => code === "MSM_MESH_INCONSISTENT")).toEqual([]);
        for (const { name, profile } of groups) {
          expect(contentOf(cache.get(name))).toEqual(
            contentOf(buildSnapshot(copyOf(mesh), profile, isComplete)),
          );
        }
      }
    }),
    { numRuns: 60 },
  );
});

test("whatever changed before, resources that all fit are in force as if they had always been there", () => {
  let compared = 0;
  fc.assert(
    fc.property(history, (changes) => {
      const store = new ResourceStore();
      for (const update of historyOf(changes)) {
        const { mesh, statuses, refusals, isComplete } = store.apply(update);
        if (statuses.some(({ inForce, isDeleted }) => inForce !== "newest" || isDeleted)) continue;
        const scratch = new ResourceStore().apply(update);
        expect({ statuses, refusals, isComplete }).toEqual({
          statuses: scratch.statuses,
          refusals: scratch.refusals,
          isComplete: scratch.isComplete,
        });
        for (const part of Object.keys(mesh) as (keyof Mesh)[]) {
          expect([...mesh[part].entries()]).toEqual([...scratch.mesh[part].entries()]);
        }
        compared++;
      }
    }),
    { numRuns: 60 },
  );
  expect(compared).toBeGreaterThan(60);
});
