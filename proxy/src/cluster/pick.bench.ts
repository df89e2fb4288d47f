// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Bench } from "tinybench";
import { type BalancingPolicy, defaultBalancing } from "./balancing-plan.ts";
import { LoadBalancer } from "./load-balancer.ts";
import { LoadMeter } from "./load-meter.ts";
import { candidates, clientHash, TestWorld } from "./testing/candidates.ts";

// Run as `node proxy/dist/cluster/pick.bench.js`: what a choice costs among 1,000 endpoints, by policy.
const ENDPOINTS = 1000;
const HASHES = Array.from({ length: 4096 }, (_, n) => clientHash(n));
const POLICIES: readonly BalancingPolicy[] = [
  { kind: "ROUND_ROBIN", slowStart: undefined },
  { kind: "LEAST_REQUEST", choiceCount: 2, activeRequestBias: 1, slowStart: undefined },
  {
    ...{ kind: "LEAST_REQUEST", choiceCount: 2, activeRequestBias: 1, slowStart: undefined },
    leastBy: "bits_per_second",
  },
  { kind: "RANDOM" },
  { kind: "RING_HASH", minimumRingSize: 1024, maximumRingSize: 8_388_608 },
  { kind: "MAGLEV", tableSize: 65_537 },
];

function balancer(policy: BalancingPolicy, isEven: boolean): LoadBalancer {
  const endpoints = candidates(...Array.from({ length: ENDPOINTS }, (_, n) => (isEven ? 1 : 1 + (n % 7))));
  const plain = { health: "HEALTHY", priority: 0, locality: 0, localityWeight: 1 } as const;
  const world = new TestWorld();
  const balanced = endpoints.map((endpoint) => {
    return { ...endpoint, ...plain, meter: new LoadMeter({ bytes: 0, sessions: 0 }, world.nowMs()) };
  });
  return new LoadBalancer({ ...defaultBalancing, policy }, balanced, world);
}

function nameOf(policy: BalancingPolicy): string {
  return "leastBy" in policy ? `${policy.kind} by ${policy.leastBy}` : policy.kind;
}

const bench = new Bench({ time: 300 });
for (const policy of POLICIES) {
  for (const isEven of [true, false]) {
    const chooser = balancer(policy, isEven);
    bench.add(`${nameOf(policy)}, ${isEven ? "even" : "uneven"} weights`, () => {
      for (const { high, low } of HASHES) chooser.pick(high, low);
    });
  }
}
for (const task of await bench.run()) {
  if (task.result.state !== "completed") throw new Error(`${task.name} did not complete`);
  const perPick = (task.result.latency.p50 * 1e6) / HASHES.length;
  console.log(`${task.name}: p50 ${perPick.toFixed(1)} ns/choice among ${ENDPOINTS} endpoints`);
}
for (const policy of POLICIES) {
  const start = performance.now();
  for (let n = 0; n < 10; n++) balancer(policy, false);
  console.log(
    `${nameOf(policy)}: ${((performance.now() - start) / 10).toFixed(1)} ms to take over ${ENDPOINTS} endpoints`,
  );
}
