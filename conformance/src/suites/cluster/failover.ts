// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Child, until } from "@msm/deploy";
import { startProxy } from "@msm/proxy";
import type { Scenario, ScenarioContext } from "../../runner/suite.ts";
import { BeatingClients } from "./beating-clients.ts";
import { failoverBootstrap } from "./failover-bootstrap.ts";

const CLIENTS = 100;
const BEAT_MS = 20;
const FIRST = 1;
const STANDBY = 2;
const program = fileURLToPath(new URL("../../traffic/echo-program.js", import.meta.url));

const outlier_detection = {
  ...{ split_external_local_origin_errors: true, consecutive_local_origin_failure: 3 },
  ...{ max_ejection_percent: 50, base_ejection_time: "60s" },
};
const silence = { filter_metadata: { "io.mediastreamingmesh.cluster": { response_silence: "0.5s" } } };
const health_checks = [
  {
    ...{ timeout: "0.2s", interval: "0.2s" },
    ...{ unhealthy_threshold: 2, healthy_threshold: 1 },
    custom_health_check: {
      name: "msm.health_checkers.udp",
      typed_config: {
        "@type": "type.googleapis.com/google.protobuf.Struct",
        value: { send: { text: "0070696e67" }, receive: [{ text: "70696e67" }] },
      },
    },
  },
];

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
    ...{ signal: "SIGSTOP", cluster: { health_checks }, limitMs: 2000 },
  },
];

/** An endpoint fails in each of the ways, while its clients send every 20 ms. */
export const failover: readonly Scenario[] = failures.map((failure) => ({
  title: failure.title,
  run: (context) => fail(context, failure),
}));

async function fail(context: ScenarioContext, { signal, cluster, limitMs }: Failure): Promise<void> {
  const [first, standby] = [await startEndpoint(context, FIRST), await startEndpoint(context, STANDBY)];
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

async function startEndpoint(context: ScenarioContext, number: number) {
  const logPath = join(context.folder, `endpoint-${number}.log`);
  const child = Child.start({ name: `endpoint ${number}`, args: [program, String(number)], logPath });
  const pid = child.pid!;
  // A process that is stopped hears of nothing else.
  context.defer(() => child.exit ?? process.kill(pid, "SIGKILL"));
  const port = await child.logged("its port", ({ port }) => (typeof port === "number" ? port : undefined));
  return { port, pid };
}
