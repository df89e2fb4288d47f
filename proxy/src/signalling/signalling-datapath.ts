// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { endpointKey } from "../cluster/lingering.ts";
import type { Datapath, LiveEndpoint, LiveListener, LiveStream } from "../datapath/datapath.ts";
import type { FlowService } from "../flow/flow-service.ts";
import type { EndpointPlan, Plan, PlanRejection } from "../plan.ts";
import type { Sample } from "../stats/sample.ts";
import { mergeSamples } from "../worker/datapath-samples.ts";
import type { SignallingPool } from "./signalling-pool.ts";

/** The datapath with signalling beside it, as one: listeners of both, and clusters with the sessions of both. */
export class SignallingDatapath implements Datapath {
  readonly io: string;
  readonly concurrency: number;
  readonly flowService: FlowService;
  readonly #datapath: Datapath;
  readonly #signalling: SignallingPool;

  constructor(datapath: Datapath, signalling: SignallingPool) {
    this.io = datapath.io;
    this.concurrency = datapath.concurrency;
    this.flowService = datapath.flowService;
    this.#datapath = datapath;
    this.#signalling = signalling;
  }

  async apply(plan: Plan): Promise<readonly PlanRejection[]> {
    const parts = await Promise.all([this.#datapath.apply(plan), this.#signalling.apply(plan)]);
    return parts.flat();
  }

  listeners(): readonly LiveListener[] {
    const signalling = this.#signalling
      .listeners()
      .map(({ plan, localAddress }) => ({ plan, localAddress, protocol: "tcp" as const }));
    return [...this.#datapath.listeners(), ...signalling];
  }

  endpoints(clusters?: ReadonlySet<string>): readonly LiveEndpoint[] {
    const keyOf = ({ cluster, plan }: LiveEndpoint): string => `${endpointKey(plan)} ${cluster}`;
    const others = new Map(
      this.#signalling.endpoints(clusters).map((endpoint) => [keyOf(endpoint), endpoint]),
    );
    return this.#datapath.endpoints(clusters).map((endpoint) => {
      const other = others.get(keyOf(endpoint));
      if (other === undefined) return endpoint;
      return {
        ...endpoint,
        sessionsActive: endpoint.sessionsActive + other.sessionsActive,
        sessionsTotal: endpoint.sessionsTotal + other.sessionsTotal,
        // Datagrams have no results, and connections no errors of datagrams.
        ...resultsOf(other),
      };
    });
  }

  members(): ReadonlyMap<string, readonly EndpointPlan[]> {
    return this.#datapath.members();
  }

  samples(): readonly Sample[] {
    return mergeSamples([...this.#datapath.samples(), ...this.#signalling.samples()]);
  }

  streams(): Promise<readonly LiveStream[]> {
    return this.#datapath.streams();
  }

  /** Signalling workers are numbered behind those of the datapath. */
  fail(worker: number, how: "throw" | "spin"): boolean {
    return worker < this.concurrency
      ? this.#datapath.fail(worker, how)
      : this.#signalling.fail(worker - this.concurrency, how);
  }

  async close(): Promise<void> {
    await this.#signalling.close();
    await this.#datapath.close();
  }
}

function resultsOf({ successes, serverErrors, connectFailures, verdicts }: LiveEndpoint) {
  return { successes, serverErrors, connectFailures, verdicts };
}
