// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Datapath, LiveEndpoint, LiveListener, LiveStream } from "../../datapath/datapath.ts";
import type { FlowService, LiveFlow } from "../../flow/flow-service.ts";
import type { EndpointPlan, ListenerPlan, Plan, PlanRejection } from "../../plan.ts";
import type { Sample } from "../../stats/sample.ts";

/** A datapath that moves nothing: it remembers plans, and refuses the listeners that it was told to. */
export class FakeDatapath implements Datapath {
  readonly io = "fake";
  readonly concurrency = 1;
  readonly plans: Plan[] = [];
  /** Listeners that cannot be opened, by name. */
  readonly broken = new Map<string, Error>();
  liveStreams: readonly LiveStream[] = [];
  liveFlows: readonly LiveFlow[] = [];
  /** Flows are not opened: nobody is answered. */
  readonly flowService: FlowService = {
    put() {},
    change() {},
    rechain() {},
    close() {},
    release() {},
    subscribe: () => () => {},
    flows: () => this.liveFlows,
    attach: () => ({ number: 1, detach() {} }),
  };
  liveSamples: readonly Sample[] = [];
  /** What was asked of `fail`. */
  readonly failures: string[] = [];
  isClosed = false;
  #listeners: readonly LiveListener[] = [];

  /** The plan that was applied last. */
  get plan(): Plan {
    return this.plans.at(-1) ?? { listeners: [], clusters: [] };
  }

  apply(plan: Plan): Promise<readonly PlanRejection[]> {
    this.plans.push(plan);
    const before = new Map(this.#listeners.map((listener) => [listener.plan.name, listener]));
    const rejections: PlanRejection[] = [];
    this.#listeners = plan.listeners.flatMap((listener) => {
      const running = before.get(listener.name);
      const error = this.broken.get(listener.name);
      if (error === undefined || running?.plan === listener) return [toLive(listener)];
      rejections.push({ listener: listener.name, error });
      return running === undefined ? [] : [running];
    });
    return Promise.resolve(rejections);
  }

  listeners(): readonly LiveListener[] {
    return this.#listeners;
  }

  endpoints(): readonly LiveEndpoint[] {
    return this.plan.clusters.flatMap(({ name, endpoints }) =>
      endpoints.map((plan) => ({
        ...{ cluster: name, plan, sessionsActive: 2, sessionsTotal: 3, errors: 1 },
        ...{ receivedDatagrams: 5, sentDatagrams: 4 },
        ...{ successes: 8, serverErrors: 2, connectFailures: 1, verdicts: 0 },
      })),
    );
  }

  members(): ReadonlyMap<string, readonly EndpointPlan[]> {
    return new Map(this.plan.clusters.map(({ name, endpoints }) => [name, endpoints]));
  }

  samples(): readonly Sample[] {
    return this.liveSamples;
  }

  streams(): Promise<readonly LiveStream[]> {
    return Promise.resolve(this.liveStreams);
  }

  fail(worker: number, how: "throw" | "spin"): boolean {
    this.failures.push(`${worker} ${how}`);
    return worker < this.concurrency;
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

function toLive(plan: ListenerPlan): LiveListener {
  const port = plan.address.port === 0 ? 40_000 : plan.address.port;
  return { plan, localAddress: { ...plan.address, port }, receiveBufferBytes: 212_992 };
}
