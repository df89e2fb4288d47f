// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { ProxyAdmin, until } from "@msm/deploy";
import { startProxy } from "@msm/proxy";
import type { Scenario, ScenarioContext } from "../../runner/suite.ts";
import { ClientGroup } from "./client-group.ts";
import { startEchoProcess } from "./echo-process.ts";
import { failoverBootstrap, udpHealthCheck } from "./failover-bootstrap.ts";

const SESSIONS = 200;
const WINDOW_SECONDS = 15;
const RETURNING = 2;

const cluster = {
  health_checks: [udpHealthCheck],
  lb_policy: "ROUND_ROBIN",
  round_robin_lb_config: {
    slow_start_config: { slow_start_window: `${WINDOW_SECONDS}s`, min_weight_percent: { value: 1 } },
  },
};

/** An endpoint that comes back is not run over by everybody at once. */
export const slowStart: Scenario = {
  title: `an endpoint that is well again gets few of the new sessions at first, and its share after ${WINDOW_SECONDS} s`,
  run: async (context) => {
    const [staying, returning] = [
      await startEchoProcess(context, 1),
      await startEchoProcess(context, RETURNING),
    ];
    const bootstrap = failoverBootstrap([staying.port, returning.port], cluster, [0, 0]);
    const proxy = await startProxy({ bootstrap, concurrency: 1 });
    context.defer(() => proxy.close());
    const admin = new ProxyAdmin(`${proxy.adminAddress.address}:${proxy.adminAddress.port}`);
    const { port } = proxy.listeners()[0]!.localAddress;
    await healthy(admin, 2);
    process.kill(returning.pid, "SIGSTOP");
    await healthy(admin, 1);
    process.kill(returning.pid, "SIGCONT");
    await healthy(admin, 2);
    const early = await share(context, port);
    await delay(WINDOW_SECONDS * 1000);
    // The last turns that it got while it was slow are still to be made up for.
    await share(context, port);
    const late = await share(context, port);
    context.note(`${percent(early)} of ${SESSIONS} sessions at first, ${percent(late)} after the window`);
    assert.ok(early < 0.3, "its share at first");
    assert.ok(Math.abs(late - 0.5) <= 0.02, "its share after the window");
  },
};

async function healthy(admin: ProxyAdmin, count: number): Promise<void> {
  await until(
    `${count} endpoints were well`,
    async () =>
      (await admin.text("/stats?filter=membership_healthy")).includes(`membership_healthy: ${count}\n`),
    20_000,
  );
}

async function share(context: ScenarioContext, port: number): Promise<number> {
  const clients = await ClientGroup.open(SESSIONS, port);
  context.defer(() => clients.close());
  const answers = await clients.ask();
  return answers.filter((endpoint) => endpoint === RETURNING).length / SESSIONS;
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}
