// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import type { LiveEndpoint } from "../datapath/datapath.ts";
import type { ClusterPlan, EndpointPlan } from "../plan.ts";
import type { KeeperWorld } from "./cluster-keeper.ts";
import { endpointKey } from "./lingering.ts";
import { type EndpointConduct, OutlierDetector } from "./outlier-detector.ts";
import type { OutlierPlan } from "./outlier-plan.ts";

/** How often endpoints are looked at: a tenth of the second within which a dead endpoint should lose its sessions. */
const SWEEP_MS = 100;

/** By cluster and `endpointKey`. */
export type Conducts = ReadonlyMap<string, ReadonlyMap<string, EndpointConduct>>;

/** The outlier detection of every cluster that has some. It sleeps while there is none. */
export class Outliers {
  readonly #conducts: () => Conducts;
  readonly #world: KeeperWorld;
  readonly #onChange: () => void;
  readonly #detectors = new Map<string, { readonly plan: OutlierPlan; readonly detector: OutlierDetector }>();
  readonly #stop = new AbortController();
  #isRunning = false;

  constructor(conducts: () => Conducts, world: KeeperWorld, onChange: () => void) {
    this.#conducts = conducts;
    this.#world = world;
    this.#onChange = onChange;
  }

  /** Follows the plan. A cluster whose settings did not change keeps what was seen of its endpoints. */
  follow(plans: readonly ClusterPlan[]): void {
    const wanted = new Map(
      plans.flatMap(({ name, outliers }) => (outliers ? [[name, outliers] as const] : [])),
    );
    for (const [name, { plan }] of this.#detectors)
      if (!isDeepStrictEqual(wanted.get(name), plan)) this.#detectors.delete(name);
    for (const [name, plan] of wanted)
      if (!this.#detectors.has(name))
        this.#detectors.set(name, { plan, detector: new OutlierDetector(plan) });
    if (!this.#isRunning && this.#detectors.size > 0) void this.#run();
  }

  isEjected(cluster: string, endpoint: EndpointPlan): boolean {
    return this.#detectors.get(cluster)?.detector.isEjected(endpointKey(endpoint)) ?? false;
  }

  stop(): void {
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#detectors.size > 0) {
      await this.#world.sleep(SWEEP_MS, this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      const conducts = this.#conducts();
      let isChanged = false;
      for (const [name, { detector }] of this.#detectors) {
        if (detector.sweep(conducts.get(name) ?? new Map(), this.#world.nowMs())) isChanged = true;
      }
      if (isChanged) this.#onChange();
    }
    this.#isRunning = false;
  }
}

/** The conduct of endpoints as `Outliers` wants it. */
export function conductByCluster(endpoints: readonly LiveEndpoint[]): Conducts {
  const clusters = new Map<string, Map<string, EndpointConduct>>();
  for (const endpoint of endpoints) {
    const { cluster, plan } = endpoint;
    const known = clusters.get(cluster) ?? new Map<string, EndpointConduct>();
    clusters.set(cluster, known.set(endpointKey(plan), endpoint));
  }
  return clusters;
}
