// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { type BalancingPlan, defaultBalancing } from "./balancing-plan.ts";
import type { BalancedEndpoint } from "./load-balancer.ts";
import { SubsetBalancer } from "./subset-balancer.ts";
import { type LbMetadata, type SubsetPlan, subsetMatch } from "./subset-plan.ts";
import { candidates, TestWorld } from "./testing/candidates.ts";

const text = (values: Readonly<Record<string, string>>): LbMetadata =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, JSON.stringify(value)]));

/** Two sites with two codecs each, and one endpoint that says nothing. */
const METADATA = [
  text({ site: "paris", codec: "h264" }),
  text({ site: "paris", codec: "h265" }),
  text({ site: "oslo", codec: "h264" }),
  text({ site: "oslo", codec: "h265" }),
  {},
];

const plan: SubsetPlan = {
  fallback: "NO_FALLBACK",
  defaultSubset: text({ codec: "h264" }),
  selectors: [
    { keys: ["site"], fallback: undefined },
    { keys: ["codec", "site"], fallback: "DEFAULT_SUBSET" },
  ],
};

function balancer(subsets: SubsetPlan, health: readonly BalancedEndpoint["health"][] = []): SubsetBalancer {
  const endpoints = candidates(1, 1, 1, 1, 1).map(
    (candidate, index): BalancedEndpoint => ({
      ...candidate,
      ...{ health: health[index] ?? "HEALTHY", priority: 0, locality: 0, localityWeight: 1 },
      metadata: METADATA[index]!,
    }),
  );
  const balancing: BalancingPlan = { ...defaultBalancing, panicThreshold: 0 };
  return new SubsetBalancer(balancing, subsets, endpoints, new TestWorld());
}

/** Who gets sessions that ask for these values. */
function chosen(of: SubsetBalancer, asked?: Readonly<Record<string, string>>): readonly number[] {
  const match = asked && subsetMatch(text(asked));
  return [...new Set(Array.from({ length: 50 }, () => of.pick(1, 2, match)))].sort();
}

describe("a cluster with subsets", () => {
  test("gives a session one of the endpoints that have every value that its route asks for", () => {
    expect(chosen(balancer(plan), { site: "paris" })).toEqual([0, 1]);
    expect(chosen(balancer(plan), { site: "oslo", codec: "h265" })).toEqual([3]);
    expect(chosen(balancer(plan), { codec: "h265", site: "oslo" })).toEqual([3]);
  });

  test("looks at health within the subset alone", () => {
    const withDown = balancer(plan, ["UNHEALTHY", "HEALTHY", "UNHEALTHY", "UNHEALTHY"]);
    expect(chosen(withDown, { site: "paris" })).toEqual([1]);
    expect(chosen(withDown, { site: "oslo" })).toEqual([-1]);
  });

  test("falls back as the selector of the keys says, or else as the cluster says", () => {
    expect(chosen(balancer(plan), { site: "rome" })).toEqual([-1]);
    expect(chosen(balancer(plan), { site: "rome", codec: "h264" })).toEqual([0, 2]);
    expect(chosen(balancer({ ...plan, fallback: "ANY_ENDPOINT" }), { site: "rome" })).toEqual([
      0, 1, 2, 3, 4,
    ]);
  });

  test("falls back where no selector has the keys, and where a route asks for nothing", () => {
    const byDefault = balancer({ ...plan, fallback: "DEFAULT_SUBSET" });
    expect(chosen(byDefault, { codec: "h265" })).toEqual([0, 2]);
    expect(chosen(byDefault)).toEqual([0, 2]);
    expect(chosen(balancer(plan))).toEqual([-1]);
  });
});
