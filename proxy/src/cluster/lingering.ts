// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { ClusterPlan, EndpointPlan } from "../plan.ts";

/** Endpoints that were taken out of clusters and keep their sessions for a while. */
export class Lingering {
  /** By cluster, endpoint by endpoint, with when its time is up. */
  readonly #leaving = new Map<
    string,
    Map<string, { readonly plan: EndpointPlan; readonly untilMs: number }>
  >();

  /** Notes what went from a cluster between two plans; what came back stays. `undefined` is a cluster that went. */
  note(before: ClusterPlan, after: ClusterPlan | undefined, nowMs: number): void {
    const leaving = this.#leaving.get(before.name) ?? new Map();
    const present = new Set(after?.endpoints.map(endpointKey));
    const lingerMs = after?.drainLingerMs ?? before.drainLingerMs ?? 0;
    for (const endpoint of before.endpoints) {
      const key = endpointKey(endpoint);
      if (present.has(key) || lingerMs === 0) continue;
      leaving.set(key, { plan: { ...endpoint, health: "LEFT" }, untilMs: nowMs + lingerMs });
    }
    for (const key of present) leaving.delete(key);
    if (leaving.size > 0) this.#leaving.set(before.name, leaving);
    else this.#leaving.delete(before.name);
  }

  /** Forgets those whose time is up. Returns when the next one's is, or undefined where none is left. */
  expire(nowMs: number): number | undefined {
    let nextMs: number | undefined;
    for (const [cluster, leaving] of this.#leaving) {
      for (const [key, { untilMs }] of leaving) {
        if (untilMs <= nowMs) leaving.delete(key);
        else nextMs = Math.min(nextMs ?? untilMs, untilMs);
      }
      if (leaving.size === 0) this.#leaving.delete(cluster);
    }
    return nextMs;
  }

  /** The endpoints that linger in a cluster. */
  of(cluster: string): readonly EndpointPlan[] {
    return [...(this.#leaving.get(cluster)?.values() ?? [])].map(({ plan }) => plan);
  }

  /** The clusters in which endpoints linger. */
  clusters(): readonly string[] {
    return [...this.#leaving.keys()];
  }
}

/** Tells endpoints of a cluster apart: `ip:port`. */
export function endpointKey({ address, port }: { readonly address: string; readonly port: number }): string {
  return `${address} ${port}`;
}
