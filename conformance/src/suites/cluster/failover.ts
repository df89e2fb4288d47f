// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { until } from "@msm/deploy";
import { startProxy } from "@msm/proxy";
import type { Scenario, ScenarioContext } from "../../runner/suite.ts";
import { BeatingClients } from "./beating-clients.ts";
import { startEchoProcess } from "./echo-process.ts";
import { failoverBootstrap, udpHealthCheck } from "./failover-bootstrap.ts";

const CLIENTS = 100;
const BEAT_MS = 20;
const FIRST = 1;
const STANDBY = 2;

const outlier_detection = {
  ...{ split_external_local_origin_errors: true, consecutive_local_origin_failure: 3 },
  ...{ max_ejection_percent: 50, base_ejection_time: "60s" },
};
const silence = { filter_metadata: { "io.mediastreamingmesh.cluster": { response_silence: "0.5s" } } };
/** How an endpoint goes, what finds it out, and how long that may take until every session is elsewhere. */
interface Failure {
  readonly title: string;
  readonly signal: "SIGKILL" | "SIGSTOP" | "SIGUSR2";
  readonly cluster: object;
  readonly limitMs: number;
}

const failures: readonly Failure[] = [
  {
    title: "kill -9: ICMP moves every session within 1 s",
    ...{ signal: "SIGKILL", cluster: { outlier_detection }, limitMs: 1000 },
  },
  {
    title: "port closed: ICMP moves every session within 1 s",
    ...{ signal: "SIGUSR2", cluster: { outlier_detection }, limitMs: 1000 },
  },
  {
    title: "address that swallows everything: silence of 500 ms moves every session within 1 s",
    ...{ signal: "SIGSTOP", cluster: { outlier_detection, metadata: silence }, limitMs: 1000 },
  },
  {
    title: "address that swallows everything: a UDP health check every 200 ms moves every session within 2 s",
    ...{ signal: "SIGSTOP", cluster: { health_checks: [udpHealthCheck] }, limitMs: 2000 },
  },
];

/** An endpoint fails in each of the ways, while its clients send every 20 ms. */
export const failover: readonly Scenario[] = failures.map((failure) => ({
  title: failure.title,
  run: (context) => fail(context, failure),
}));

async function fail(context: ScenarioContext, { signal, cluster, limitMs }: Failure): Promise<void> {
  const [first, standby] = [await startEchoProcess(context, FIRST), await startEchoProcess(context, STANDBY)];
  const bootstrap = failoverBootstrap([first.port, standby.port], cluster);
  const proxy = await startProxy({ bootstrap, concurrency: 2 });
  context.defer(() => proxy.close());
  const clients = await BeatingClients.start(CLIENTS, proxy.listeners()[0]!.localAddress.port, BEAT_MS);
  context.defer(() => clients.close());
  await until("every client is served by the first endpoint", () => clients.servedBy(FIRST) === CLIENTS);
  const startMs = performance.now();
  process.kill(first.pid, signal);
  await until("a client is served by the other one", () => clients.servedBy(STANDBY) > 0, 10_000);
  const foundMs = performance.now() - startMs;
  await until("every client is", () => clients.servedBy(STANDBY) === CLIENTS, 10_000);
  const movedMs = performance.now() - startMs;
  context.note(
    `found after ${foundMs.toFixed(0)} ms, ${CLIENTS} sessions moved after ${movedMs.toFixed(0)} ms`,
  );
  assert.ok(movedMs <= limitMs, `all sessions moved within ${limitMs} ms`);
}
