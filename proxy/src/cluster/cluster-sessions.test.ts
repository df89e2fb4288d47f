// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { monotonicMs } from "../datapath/monotonic-clock.ts";
import type { ClusterPlan, EndpointPlan, ListenerPlan, Plan } from "../plan.ts";
import { startDatapath, type WorkerPool } from "../worker/worker-pool.ts";
import { defaultBalancing } from "./balancing-plan.ts";
import { ClusterKeeper } from "./cluster-keeper.ts";
import { lookupName } from "./discovery/lookup-name.ts";
import type { OutlierPlan } from "./outlier-plan.ts";
import { conductByCluster } from "./outliers.ts";
import type { SessionRule } from "./session-rule.ts";
import { outlierPlan } from "./testing/outliers.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startPool(): Promise<WorkerPool> {
  const pool = await startDatapath({ io: "auto", concurrency: 2, sessionsPerWorker: 4096, logger: silent });
  closers.push(() => pool.close());
  return pool;
}

/** An endpoint that remembers the ports from which it got something; a session has one of its own. It may answer. */
async function startEndpoint() {
  const socket = createSocket("udp4");
  let isOpen = true;
  const close = () => {
    if (isOpen) socket.close();
    isOpen = false;
  };
  closers.push(close);
  const sessions = new Set<number>();
  const endpoint = { port: 0, sessions, close, isAnswering: false };
  socket.on("message", (datagram, from) => {
    sessions.add(from.port);
    if (endpoint.isAnswering) socket.send(datagram, from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  endpoint.port = socket.address().port;
  return endpoint;
}

async function openClient(address = "127.0.0.1"): Promise<Socket> {
  const socket = createSocket("udp4");
  closers.push(() => socket.close());
  socket.bind(0, address);
  await once(socket, "listening");
  return socket;
}

const openClients = (count: number) => Promise.all(Array.from({ length: count }, () => openClient()));

function planOf(
  endpoints: readonly EndpointPlan[],
  balancing: Partial<ClusterPlan["balancing"] & object> = {},
  listener: Partial<ListenerPlan> = {},
): Plan {
  const edge: ListenerPlan = {
    name: "edge",
    address: { address: "127.0.0.1", port: 0 },
    statPrefix: "edge",
    cluster: "viewer",
    idleTimeoutMs: 60_000,
    maxRxDatagramBytes: 65_535,
    preferGro: false,
    filters: [],
    ...listener,
  };
  return {
    listeners: [edge],
    clusters: [{ name: "viewer", endpoints, balancing: { ...defaultBalancing, ...balancing } }],
  };
}

const at = (endpoint: { readonly port: number }, changes: Partial<EndpointPlan> = {}): EndpointPlan => ({
  address: "127.0.0.1",
  port: endpoint.port,
  ...changes,
});

/** Few enough for the receive buffer of an endpoint of these tests. */
const WAVE = 50;

/** Sends from every client, and waits until the proxy has it all and so many sessions were opened altogether. */
async function sendAll(
  pool: WorkerPool,
  clients: readonly Socket[],
  sessions: number,
  datagram = "x",
): Promise<void> {
  const { port } = pool.listeners()[0]!.localAddress;
  const received = () =>
    pool.samples().find(({ name }) => name === "udp.downstream_sess_rx_datagrams")?.value as number;
  let expected = received();
  for (let first = 0; first < clients.length; first += WAVE) {
    const wave = clients.slice(first, first + WAVE);
    for (const client of wave) client.send(datagram, port, "127.0.0.1");
    expected += wave.length;
    await vi.waitFor(() => expect(received()).toBe(expected));
  }
  await vi.waitFor(() => {
    const total = pool.endpoints().reduce((sum, { sessionsTotal }) => sum + sessionsTotal, 0);
    expect(total).toBe(sessions);
  });
}

const active = (pool: WorkerPool) => pool.endpoints().map(({ sessionsActive }) => sessionsActive);

test("sessions follow the weights, and stay where they are when the weights move", async () => {
  const pool = await startPool();
  const [stable, canary] = [await startEndpoint(), await startEndpoint()];
  await pool.apply(planOf([at(stable, { weight: 90 }), at(canary, { weight: 10 })]));
  const clients = await openClients(400);
  await sendAll(pool, clients, 400);
  expect(Math.abs(active(pool)[1]! - 40)).toBeLessThanOrEqual(4);
  const before = active(pool);
  await vi.waitFor(() => expect([stable.sessions.size, canary.sessions.size]).toEqual(before));

  await pool.apply(planOf([at(stable, { weight: 50 }), at(canary, { weight: 50 })]));
  await sendAll(pool, clients, 400);
  await sendAll(pool, await openClients(200), 600);
  expect(Math.abs(active(pool)[1]! - before[1]! - 100)).toBeLessThanOrEqual(4);
  // An old session that had moved would have come from a new port.
  await vi.waitFor(() => expect([stable.sessions.size, canary.sessions.size]).toEqual(active(pool)));
});

test("a lame duck keeps its sessions and gets no others", async () => {
  const pool = await startPool();
  const [leaving, staying] = [await startEndpoint(), await startEndpoint()];
  await pool.apply(planOf([at(leaving)]));
  const clients = await openClients(20);
  await sendAll(pool, clients, 20);
  await vi.waitFor(() => expect(leaving.sessions.size).toBe(20));

  await pool.apply(planOf([at(leaving, { health: "DRAINING" }), at(staying)]));
  await sendAll(pool, clients, 20);
  await sendAll(pool, await openClients(20), 40);
  expect(active(pool)).toEqual([20, 20]);
  await vi.waitFor(() => expect(staying.sessions.size).toBe(20));
  expect(leaving.sessions.size).toBe(20);
});

test("sessions leave an endpoint that fails at once, with their clients' next datagrams", async () => {
  const pool = await startPool();
  const [failing, staying] = [await startEndpoint(), await startEndpoint()];
  await pool.apply(planOf([at(failing)]));
  const clients = await openClients(10);
  await sendAll(pool, clients, 10);
  await pool.apply(planOf([at(failing, { health: "UNHEALTHY" }), at(staying)]));
  expect(active(pool)).toEqual([0, 0]);
  await sendAll(pool, clients, 20);
  expect(active(pool)).toEqual([0, 10]);
  const inCluster = () => pool.samples().find(({ name }) => name === "cluster.upstream_cx_active")?.value;
  expect(inCluster()).toBe(10);
  await pool.apply(planOf([at(staying)]));
  await pool.apply(planOf([]));
  expect(inCluster()).toBe(0);
});

/** Two endpoints, the second for when the first fails, five clients that send every 20 ms, and the keeper between. */
async function startFailover(errors: number, changes: Partial<OutlierPlan> = {}) {
  const pool = await startPool();
  const outliers = outlierPlan(errors, { baseEjectionMs: 30_000, longestEjectionMs: 30_000, ...changes });
  const keeper = new ClusterKeeper({
    apply: (plan) => pool.apply(plan),
    conducts: () => conductByCluster(pool.endpoints()),
    streams: () => pool.streams(),
    checkers: new Map(),
    lookup: lookupName,
    world: {
      nowMs: monotonicMs,
      random: Math.random,
      sleep: (ms, signal) => delay(ms, undefined, { signal }).catch(() => {}),
    },
  });
  closers.push(() => keeper.close());
  const [failing, staying] = [await startEndpoint(), await startEndpoint()];
  failing.isAnswering = true;
  staying.isAnswering = true;
  const { listeners, clusters } = planOf([at(failing), at(staying, { priority: 1 })]);
  await keeper.apply({ listeners, clusters: clusters.map((cluster) => ({ ...cluster, outliers })) });
  const clients = await openClients(5);
  await sendAll(pool, clients, 5);
  const { port } = pool.listeners()[0]!.localAddress;
  const beat = setInterval(() => {
    for (const client of clients) client.send("x", port, "127.0.0.1");
  }, 20);
  closers.push(() => clearInterval(beat));
  return { pool, failing, staying };
}

test("an endpoint that is killed loses its sessions within a second, by the ICMP errors that they get", async () => {
  const { pool, failing, staying } = await startFailover(3);
  failing.close();
  await vi.waitFor(() => expect(staying.sessions.size).toBe(5), { timeout: 1000, interval: 10 });
  expect(pool.endpoints()[0]!.plan).toMatchObject({ health: "UNHEALTHY", failed: "OUTLIER" });
});

test("an endpoint whose address swallows everything loses its sessions by its silence, one that answers does not", async () => {
  const silence = { responseMs: 500, streamMs: 0 };
  const { pool, failing, staying } = await startFailover(0, { silence });
  failing.isAnswering = false;
  await vi.waitFor(() => expect(staying.sessions.size).toBe(5), { timeout: 5000, interval: 10 });
  expect(pool.endpoints().map(({ plan }) => plan.failed)).toEqual(["OUTLIER", undefined]);
  expect(pool.endpoints().every(({ errors }) => errors === 0)).toBe(true);
});

test("a client's sessions meet at one endpoint by its address, whichever worker has them", async () => {
  const pool = await startPool();
  const endpoints = [await startEndpoint(), await startEndpoint(), await startEndpoint()];
  const policy = { kind: "MAGLEV", tableSize: 65_537 } as const;
  const plan = planOf(
    endpoints.map((endpoint) => at(endpoint)),
    { policy },
    { hashPolicy: { kind: "SOURCE_IP" } },
  );
  await pool.apply(plan);
  let opened = 0;
  const used = new Set<number>();
  for (const address of ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.6", "127.0.0.7"]) {
    const before = active(pool);
    const clients = await Promise.all(Array.from({ length: 8 }, () => openClient(address)));
    opened += 8;
    await sendAll(pool, clients, opened);
    const grown = active(pool).map((count, index) => count - before[index]!);
    expect([...grown].sort()).toEqual([0, 0, 8]);
    used.add(grown.indexOf(8));
  }
  expect(used.size).toBeGreaterThan(1);
});

test("sessions whose first datagrams have the same bytes in a place meet at one endpoint", async () => {
  const pool = await startPool();
  const endpoints = [await startEndpoint(), await startEndpoint(), await startEndpoint()];
  const balancing = { policy: { kind: "MAGLEV", tableSize: 65_537 } } as const;
  const hashPolicy = { kind: "FIRST_DATAGRAM", offset: 4, length: 4 } as const;
  await pool.apply(
    planOf(
      endpoints.map((endpoint) => at(endpoint)),
      balancing,
      { hashPolicy },
    ),
  );
  const used = new Set<number>();
  for (const [index, room] of ["aaaa", "bbbb", "cccc", "dddd", "eeee", "ffff"].entries()) {
    const before = active(pool);
    await sendAll(pool, await openClients(4), 8 * index + 4, `1234${room}tail`);
    await sendAll(pool, await openClients(4), 8 * index + 8, `9876${room}`);
    const grown = active(pool).map((count, endpoint) => count - before[endpoint]!);
    expect([...grown].sort()).toEqual([0, 0, 8]);
    used.add(grown.indexOf(8));
  }
  expect(used.size).toBeGreaterThan(1);
  await sendAll(pool, await openClients(2), 50, "123");
});

test("a cluster takes no more sessions than its circuit breaker allows, and counts the rest", async () => {
  const pool = await startPool();
  const endpoint = await startEndpoint();
  await pool.apply(planOf([at(endpoint)], { maxSessions: 5 }));
  await sendAll(pool, await openClients(5), 5);
  const { port } = pool.listeners()[0]!.localAddress;
  (await openClient()).send("x", port, "127.0.0.1");
  const overflows = () => pool.samples().find(({ name }) => name === "cluster.upstream_cx_overflow")?.value;
  await vi.waitFor(() => expect(overflows()).toBe(1));
  expect(active(pool)).toEqual([5]);
});

test("a rule gives new sessions of some clients to another cluster, live, and those that are open stay", async () => {
  const pool = await startPool();
  const [stable, canary] = [await startEndpoint(), await startEndpoint()];
  const plan = (rules: readonly SessionRule[]): Plan => {
    const { listeners, clusters } = planOf([at(stable)], {}, { rules });
    return { listeners, clusters: [...clusters, { name: "canary", endpoints: [at(canary)] }] };
  };
  const from = (address: string): SessionRule => ({
    when: { kind: "RANGE", ranges: [{ address, prefixLength: 32 }] },
    cluster: "canary",
  });
  await pool.apply(plan([from("127.0.0.2")]));
  const clients = [await openClient("127.0.0.2"), await openClient("127.0.0.3")];
  await sendAll(pool, clients, 2);
  await vi.waitFor(() => expect([stable.sessions.size, canary.sessions.size]).toEqual([1, 1]));
  await pool.apply(plan([from("127.0.0.3")]));
  await sendAll(pool, clients, 2);
  await sendAll(pool, [await openClient("127.0.0.3")], 3);
  await vi.waitFor(() => expect([stable.sessions.size, canary.sessions.size]).toEqual([1, 2]));
});

test("a client that no rule takes gets no session, and is counted, where there is no cluster for all others", async () => {
  const pool = await startPool();
  const when = { kind: "TEXT", input: "SOURCE_IP", test: "exact", value: "127.0.0.9" } as const;
  await pool.apply(
    planOf([at(await startEndpoint())], {}, { cluster: "", rules: [{ when, cluster: "viewer" }] }),
  );
  const { port } = pool.listeners()[0]!.localAddress;
  (await openClient()).send("x", port, "127.0.0.1");
  const refused = () => pool.samples().find(({ name }) => name === "udp.downstream_sess_no_route")?.value;
  await vi.waitFor(() => expect(refused()).toBe(1));
  expect(active(pool)).toEqual([0]);
});

test("an endpoint takes no more sessions than the circuit breaker of each allows, and counts the rest", async () => {
  const pool = await startPool();
  const endpoints = [await startEndpoint(), await startEndpoint()];
  const plan = planOf([at(endpoints[0]!), at(endpoints[1]!, { priority: 1 })], { maxSessionsPerEndpoint: 3 });
  await pool.apply(plan);
  await sendAll(pool, await openClients(3), 3);
  const { port } = pool.listeners()[0]!.localAddress;
  (await openClient()).send("x", port, "127.0.0.1");
  const overflows = () => pool.samples().find(({ name }) => name === "cluster.upstream_cx_overflow")?.value;
  await vi.waitFor(() => expect(overflows()).toBe(1));
  expect(active(pool)).toEqual([3, 0]);
});
