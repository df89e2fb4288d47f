// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import type { LiveEndpoint, LiveStream } from "../datapath/datapath.ts";
import { formatSocketAddress } from "../datapath/sockaddr.ts";
import type { ClusterPlan, EndpointPlan } from "../plan.ts";
import type { Sample } from "../stats/sample.ts";
import type { KeeperWorld } from "./cluster-keeper.ts";
import { endpointKey } from "./lingering.ts";
import { MediaWatch } from "./media-watch.ts";
import { type EndpointConduct, OutlierDetector } from "./outlier-detector.ts";
import type { OutlierPlan } from "./outlier-plan.ts";
import { outlierSamples } from "./outlier-samples.ts";

/** How often endpoints are looked at: a tenth of the second within which a dead endpoint should lose its sessions. */
const SWEEP_MS = 100;
/** Media are asked for less often, since every filter has to tell of all of its streams. */
const SWEEPS_PER_MEDIA_LOOK = 10;

/** By cluster and `endpointKey`. */
export type Conducts = ReadonlyMap<string, ReadonlyMap<string, EndpointConduct>>;

/** What is seen of the world. */
export interface OutlierSources {
  /** What is seen of each endpoint of these clusters. */
  readonly conducts: (clusters: ReadonlySet<string>) => Conducts;
  /** What filters say of streams; asked only while some cluster judges its endpoints by that. */
  readonly streams: () => Promise<readonly LiveStream[]>;
}

interface Watched {
  readonly plan: OutlierPlan;
  readonly detector: OutlierDetector;
}

/** The outlier detection of every cluster that has some. It sleeps while there is none. */
export class Outliers {
  readonly #sources: OutlierSources;
  readonly #world: KeeperWorld;
  readonly #onChange: () => void;
  readonly #detectors = new Map<string, Watched>();
  readonly #stop = new AbortController();
  readonly #media = new MediaWatch();
  #isRunning = false;
  #isAsking = false;

  constructor(sources: OutlierSources, world: KeeperWorld, onChange: () => void) {
    this.#sources = sources;
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
    for (const [name, plan] of wanted) {
      if (this.#detectors.has(name)) continue;
      this.#detectors.set(name, { plan, detector: new OutlierDetector(plan, this.#world.random) });
    }
    if (!this.#isRunning && this.#detectors.size > 0) void this.#run();
  }

  isEjected(cluster: string, endpoint: EndpointPlan): boolean {
    return this.detector(cluster)?.isEjected(endpointKey(endpoint)) ?? false;
  }

  /** What was seen of a cluster; undefined where nobody looks. */
  detector(cluster: string): OutlierDetector | undefined {
    return this.#detectors.get(cluster)?.detector;
  }

  samples(): readonly Sample[] {
    return [...this.#detectors].flatMap(([name, { detector }]) => outlierSamples(name, detector));
  }

  stop(): void {
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let sweep = 1; this.#detectors.size > 0; sweep++) {
      await this.#world.sleep(SWEEP_MS, this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      const conducts = this.#sources.conducts(new Set(this.#detectors.keys()));
      let isChanged = false;
      for (const [name, { plan, detector }] of this.#detectors) {
        const known = conducts.get(name) ?? new Map<string, EndpointConduct>();
        const seen = plan.media === undefined ? known : this.#withMedia(known);
        if (detector.sweep(seen, this.#world.nowMs())) isChanged = true;
      }
      if (isChanged) this.#onChange();
      if (sweep % SWEEPS_PER_MEDIA_LOOK === 0) this.#lookAtMedia();
    }
    this.#isRunning = false;
  }

  /** One question at a time: a worker that is busy answers late. */
  #lookAtMedia(): void {
    const isWanted = [...this.#detectors.values()].some(({ plan }) => plan.media !== undefined);
    if (!isWanted || this.#isAsking) return;
    this.#isAsking = true;
    const onStreams = (streams: readonly LiveStream[]): void => {
      this.#isAsking = false;
      this.#media.look(streams);
    };
    this.#sources.streams().then(onStreams, () => onStreams([]));
  }

  /** Media of flows come from ports of their own: they count for the endpoint of the cluster that is alone at its address. */
  #withMedia(conducts: ReadonlyMap<string, EndpointConduct>): ReadonlyMap<string, EndpointConduct> {
    const atHost = new Map<string, number>();
    const hosts = [...conducts.keys()].map(hostOfKey);
    for (const host of hosts) atHost.set(host, (atHost.get(host) ?? 0) + 1);
    return new Map(
      [...conducts].map(([key, conduct]) => {
        const host = hostOfKey(key);
        const address = formatSocketAddress({ address: host, port: Number(key.slice(host.length + 1)) });
        const bare = address.slice(0, address.lastIndexOf(":"));
        const flows = atHost.get(host) === 1 ? this.#media.of(bare) : undefined;
        return [key, { ...conduct, media: this.#media.of(address) ?? flows }] as const;
      }),
    );
  }
}

function hostOfKey(key: string): string {
  return key.slice(0, key.lastIndexOf(" "));
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
