// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { defaultBalancing } from "../cluster/balancing-plan.ts";
import { CounterBlocks } from "../datapath/counter-blocks.ts";
import { EndpointDirectory } from "../datapath/endpoint-directory.ts";
import type { ClusterPlan, EndpointPlan } from "../plan.ts";
import { ClusterRegistry } from "./cluster-registry.ts";

const PAGE = new Float64Array(4096);
let registry: ClusterRegistry;

beforeEach(() => {
  registry = new ClusterRegistry(new CounterBlocks([PAGE]));
});

const endpoint = (port: number, more: Partial<EndpointPlan> = {}): EndpointPlan => ({
  ...{ address: "10.0.0.1", port },
  ...more,
});
const cams = (endpoints: readonly EndpointPlan[], more: Partial<ClusterPlan> = {}): ClusterPlan => ({
  ...{ name: "cams", endpoints },
  ...more,
});
/** The ports of endpoints that a change tells in full, and the numbers of the others. */
const told = (plan: ClusterPlan) =>
  registry
    .update([plan])
    .changed.map(({ endpoints }) =>
      endpoints.map((each) => (typeof each === "number" ? each : `:${each.port}`)),
    );

describe("workers are told", () => {
  test("of endpoints in full that are new or say something else, and of others by their number", () => {
    expect(told(cams([endpoint(1), endpoint(2), endpoint(3)]))).toEqual([[":1", ":2", ":3"]]);
    expect(told(cams([endpoint(3), endpoint(2, { weight: 5 }), endpoint(4), endpoint(1)]))).toEqual([
      [3, ":2", ":4", 1],
    ]);
  });

  test("of all endpoints in full when the policy is another", () => {
    const endpoints = [endpoint(1), endpoint(2)];
    told(cams(endpoints));
    expect(told(cams(endpoints, { balancing: { ...defaultBalancing, panicThreshold: 7 } }))).toEqual([
      [":1", ":2"],
    ]);
  });

  test("of nothing when nothing changed", () => {
    const plan = cams([endpoint(1)]);
    told(plan);
    expect(told(plan)).toEqual([]);
  });

  test("of an endpoint once that the plan has twice", () => {
    expect(told(cams([endpoint(1), endpoint(1)]))).toEqual([[":1"]]);
  });
});

test("whoever follows the changes knows what one knows who is told everything", () => {
  const health = fc.constantFrom("HEALTHY", "UNHEALTHY", "DRAINING", "LEFT");
  const endpoints = fc.uniqueArray(fc.record({ port: fc.integer({ min: 1, max: 8 }), health }), {
    selector: ({ port }) => port,
  });
  const plans = fc.array(fc.dictionary(fc.constantFrom("a", "b", "c"), endpoints), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(plans, (steps) => {
      registry = new ClusterRegistry(new CounterBlocks([PAGE]));
      const follower = new EndpointDirectory(0, [PAGE]);
      const ids = new Set<number>();
      for (const step of steps) {
        const clusters = Object.entries(step).map(([name, list]): ClusterPlan => {
          return { name, endpoints: list.map(({ port, health }) => endpoint(port, { health })) };
        });
        const { changed, removed } = registry.update(clusters);
        follower.update(changed, removed);
        const newcomer = new EndpointDirectory(0, [PAGE]);
        newcomer.update(registry.all, []);
        for (const { endpoints } of registry.all) for (const { id } of endpoints) ids.add(id);
        const known = (directory: EndpointDirectory) =>
          [...ids].map((id) => [directory.endpoint(id), directory.clusterOf(id), directory.keeps(id)]);
        expect(known(follower)).toEqual(known(newcomer));
      }
    }),
  );
});
