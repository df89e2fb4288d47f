// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ResourceEntry } from "@msm/control-plane/xds";
import { Child, freeUdpPorts, ProxyAdmin, until } from "@msm/deploy";
import type { Scenario, ScenarioContext } from "../../runner/suite.ts";
import { EchoEndpoint } from "../../traffic/echo-endpoint.ts";
import { Heartbeat } from "../../traffic/heartbeat.ts";
import { cluster, endpoints, udpListener } from "../xds/entries.ts";
import { startLibraryServer } from "../xds/library-server.ts";

const CLUSTERS = 100;
/** In each cluster: 100,000 in all. */
const ENDPOINTS = 1000;
/** Endpoints of a cluster that others take the place of in a change. */
const EXCHANGED = 10;
/** Clusters that have a listener and a client. */
const SERVED = 20;
const CHANGES_PER_SECOND = 50;
const SECONDS = 10;
/** Linux counts the time of processes in hundredths of a second. */
const TICKS_PER_SECOND = 100;

/** Endpoints come and go everywhere, as while many services are rolled out at once. */
export const churn: Scenario = {
  title: `${CLUSTERS} clusters of ${ENDPOINTS} endpoints, of which ${EXCHANGED} are exchanged ${CHANGES_PER_SECOND} times a second: no session is lost`,
  timeoutMs: 180_000,
  run: async (context) => {
    const echo = await EchoEndpoint.start("127.0.0.1", 1);
    context.defer(() => echo.close());
    const plane = await startLibraryServer(context);
    const ports = await freeUdpPorts(SERVED);
    const fixed = names().map((name) => cluster(name));
    const listeners = ports.map((port, index) => udpListener(`listener-${index}`, port, names()[index]!));
    // Sessions open while their endpoint is the only one of its cluster.
    const current = names().map((name) => endpoints(name, echo.port));
    const publish = (): void => void plane.publish(...fixed, ...listeners, ...current);
    publish();
    const { child, admin } = await startProxyChild(context, plane.address);
    await until("the proxy was ready", () => admin.isReady());
    const clients = await Promise.all(ports.map((port) => Heartbeat.start("127.0.0.1", port)));
    const forms = names().map((name) => [formOf(name, echo.port, 0), formOf(name, echo.port, 1)] as const);
    for (const [index, [form]] of forms.entries()) current[index] = form;
    publish();
    await until(
      "the proxy had every endpoint",
      async () => (await members(admin)) === CLUSTERS * ENDPOINTS,
      60_000,
    );
    await plane.settled(60_000);
    await Promise.all(clients.map((client) => client.beats(20)));
    for (const client of clients) client.resetCounts();

    const before = { updates: await updates(admin), cpu: cpuSeconds(child.pid!), ms: performance.now() };
    await change(forms, current, publish);
    const endedMs = performance.now();
    const seconds = (endedMs - before.ms) / 1000;
    const taken = (await updates(admin)) - before.updates;
    const cpu = (cpuSeconds(child.pid!) - before.cpu) / seconds;
    await plane.settled(60_000);
    const behindMs = performance.now() - endedMs;
    const longestMs = Math.max(...clients.map(({ longestGapMs }) => longestGapMs));
    const sent = clients.reduce((sum, client) => sum + client.sent, 0);
    const lost = await Promise.all(clients.map((client) => client.finish()));
    const total = lost.reduce((sum, count) => sum + count, 0);
    context.note(
      `${(taken / seconds).toFixed(1)} responses a second taken, ${(cpu * 100).toFixed(0)} % of a core, the last ${behindMs.toFixed(0)} ms after its change`,
    );
    context.note(
      `${sent} datagrams of ${SERVED} sessions, ${total} lost, longest pause ${longestMs.toFixed(0)} ms`,
    );
    assert.equal(
      echo.clients.size,
      SERVED,
      "ports that the proxy used: a session that was lost would have another",
    );
    assert.equal(total, 0);
  },
};

function names(): readonly string[] {
  return Array.from({ length: CLUSTERS }, (_, index) => `cluster-${index}`);
}

/** The endpoint that serves and others at which nobody is; the forms differ in some of those. */
function formOf(name: string, port: number, form: number): ResourceEntry {
  const others = Array.from({ length: ENDPOINTS - 1 }, (_, index) => 1 + index + form * EXCHANGED);
  return endpoints(name, port, ...others.map((other) => (other === port ? other + 2 * ENDPOINTS : other)));
}

/** Gives one cluster after the other its other form, again and again. */
async function change(
  forms: readonly (readonly [ResourceEntry, ResourceEntry])[],
  current: ResourceEntry[],
  publish: () => void,
): Promise<void> {
  const startMs = performance.now();
  for (let count = 0; count < CHANGES_PER_SECOND * SECONDS; count++) {
    const index = count % CLUSTERS;
    const [one, other] = forms[index]!;
    current[index] = current[index] === one ? other : one;
    publish();
    const nextMs = startMs + ((count + 1) * 1000) / CHANGES_PER_SECOND;
    await delay(Math.max(0, nextMs - performance.now()));
  }
}

async function startProxyChild(context: ScenarioContext, plane: string) {
  const [address, port] = plane.split(":") as [string, string];
  const source = { ads: {}, resource_api_version: "V3" };
  const endpoint = { address: { socket_address: { address, port_value: Number(port) } } };
  const load_assignment = { cluster_name: "plane", endpoints: [{ lb_endpoints: [{ endpoint }] }] };
  const bootstrap = {
    node: { id: "churn", cluster: "conformance" },
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: 0 } } },
    dynamic_resources: {
      ads_config: {
        ...{ api_type: "DELTA_GRPC", transport_api_version: "V3" },
        grpc_services: [{ envoy_grpc: { cluster_name: "plane" } }],
      },
      ...{ lds_config: source, cds_config: source },
    },
    static_resources: { clusters: [{ name: "plane", load_assignment }] },
  };
  const path = join(context.folder, "bootstrap.json");
  writeFileSync(path, JSON.stringify(bootstrap));
  const main = fileURLToPath(new URL("main.js", import.meta.resolve("@msm/proxy")));
  const logPath = join(context.folder, "proxy.log");
  const child = Child.start({ name: "proxy", args: [main, "-c", path, "--concurrency", "2"], logPath });
  context.defer(() => child.stop());
  const admin = await child.logged("its admin address", ({ msg, admin }) =>
    msg === "listening" && typeof admin === "string" ? admin : undefined,
  );
  return { child, admin: new ProxyAdmin(admin as `${string}:${number}`) };
}

async function members(admin: ProxyAdmin): Promise<number> {
  const stats = await admin.text("/stats?filter=membership_total");
  return [...stats.matchAll(/cluster-\d+\.membership_total: (\d+)/g)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
}

async function updates(admin: ProxyAdmin): Promise<number> {
  const stats = await admin.text("/stats?filter=eds.update_success");
  return Number(/cluster_manager\.eds\.update_success: (\d+)/.exec(stats)?.[1] ?? 0);
}

/** What the threads of a process used so far (proc(5), `stat`: utime and stime). */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
