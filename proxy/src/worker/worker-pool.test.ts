// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, test, vi } from "vitest";
import { backendNames } from "../io/load-backend.ts";
import type { ListenerPlan, Plan } from "../plan.ts";
import { startDatapath, type WorkerPool } from "./worker-pool.ts";

const ADDRESSES = ["127.0.0.1", "::1"];
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startPool(io: string, concurrency = 2, sessionsPerWorker = 512): Promise<WorkerPool> {
  const pool = await startDatapath({ io, concurrency, sessionsPerWorker, logger: silent });
  closers.push(() => pool.close());
  return pool;
}

function openSocket(address = "127.0.0.1"): Socket {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  closers.push(() => socket.close());
  return socket;
}

/** A server that sends back what it gets, and keeps the ports it came from. */
async function startEcho(
  address = "127.0.0.1",
): Promise<{ readonly port: number; readonly clients: Set<number> }> {
  const socket = openSocket(address);
  const clients = new Set<number>();
  socket.on("message", (data, from) => {
    clients.add(from.port);
    socket.send(data, from.port, from.address);
  });
  socket.bind(0, address);
  await once(socket, "listening");
  return { port: socket.address().port, clients };
}

/** A client that sends and waits for the echo. */
function openClient(address = "127.0.0.1") {
  const socket = openSocket(address);
  const echoes: string[] = [];
  socket.on("message", (data) => echoes.push(data.toString("latin1")));
  return {
    echoes,
    send: (data: string, port: number) => socket.send(Buffer.from(data, "latin1"), port, address),
  };
}

function planOf(listener: Partial<ListenerPlan>, ports: readonly number[], address = "127.0.0.1"): Plan {
  const base: ListenerPlan = {
    name: "edge",
    address: { address, port: 0 },
    statPrefix: "edge",
    cluster: "echo",
    idleTimeoutMs: 60_000,
    maxRxDatagramBytes: 65_535,
    preferGro: true,
    filters: [],
  };
  return {
    listeners: [{ ...base, ...listener }],
    clusters: [{ name: "echo", endpoints: ports.map((port) => ({ address, port })) }],
  };
}

function portOf(pool: WorkerPool): number {
  return pool.listeners()[0]!.localAddress.port;
}

function counter(pool: WorkerPool, name: string, labels: Record<string, string> = {}): unknown {
  return pool
    .samples()
    .find(
      (sample) =>
        sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    )?.value;
}

describe.each(await backendNames())("the datapath on %s", (io) => {
  test.each(ADDRESSES)("carries datagrams of every size both ways at %s", async (address) => {
    const pool = await startPool(io);
    const echo = await startEcho(address);
    expect(await pool.apply(planOf({}, [echo.port], address))).toEqual([]);
    const client = openClient(address);
    // 65,507 bytes is the most that IPv4 carries.
    const sent = [0, 1, 172, 1316, 1472, 9000, 65_507].map((length) => "x".repeat(length));

    for (const data of sent) client.send(data, portOf(pool));

    await vi.waitFor(() =>
      expect(client.echoes.map(({ length }) => length)).toEqual(sent.map(({ length }) => length)),
    );
    expect(client.echoes).toEqual(sent);
    expect(counter(pool, "udp.downstream_sess_rx_datagrams")).toBe(sent.length);
    expect(counter(pool, "udp.downstream_sess_tx_bytes")).toBe(
      sent.reduce((sum, { length }) => sum + length, 0),
    );
  });

  test("gives each client a port of its own, and each endpoint its turn", async () => {
    const pool = await startPool(io);
    const echoes = [await startEcho(), await startEcho()];
    await pool.apply(
      planOf(
        {},
        echoes.map(({ port }) => port),
      ),
    );
    const clients = Array.from({ length: 20 }, () => openClient());

    for (const round of ["a", "b", "c"])
      for (const [i, client] of clients.entries()) client.send(`${round}${i}`, portOf(pool));

    await vi.waitFor(() => {
      for (const [i, client] of clients.entries()) expect(client.echoes).toEqual([`a${i}`, `b${i}`, `c${i}`]);
    });
    expect(echoes.map(({ clients }) => clients.size)).toEqual([10, 10]);
    expect(counter(pool, "udp.downstream_sess_active")).toBe(20);
    expect(counter(pool, "cluster.upstream_cx_active")).toBe(20);
  });

  test("closes a session that was silent for the idle time-out", async () => {
    const pool = await startPool(io);
    const echo = await startEcho();
    await pool.apply(planOf({ idleTimeoutMs: 40 }, [echo.port]));
    const client = openClient();

    client.send("a", portOf(pool));

    await vi.waitFor(() => expect(counter(pool, "udp.idle_timeout")).toBe(1));
    expect(counter(pool, "udp.downstream_sess_active")).toBe(0);
    client.send("b", portOf(pool));
    await vi.waitFor(() => expect(client.echoes).toEqual(["a", "b"]));
    expect(counter(pool, "udp.downstream_sess_total")).toBe(2);
  });

  test("drops and counts datagrams that are too large, and those that nobody takes", async () => {
    const pool = await startPool(io);
    const echo = await startEcho();
    await pool.apply(planOf({ maxRxDatagramBytes: 100 }, [echo.port]));
    const client = openClient();

    client.send("x".repeat(101), portOf(pool));
    client.send("x".repeat(100), portOf(pool));

    await vi.waitFor(() => expect(client.echoes.map(({ length }) => length)).toEqual([100]));
    expect(counter(pool, "msm_datagrams_dropped_total", { reason: "too_large" })).toBe(1);
    const { listeners } = planOf({ maxRxDatagramBytes: 100 }, []);
    await pool.apply({ listeners, clusters: [{ name: "echo", endpoints: [] }] });
    client.send("y", portOf(pool));
    await vi.waitFor(() =>
      expect(counter(pool, "msm_datagrams_dropped_total", { reason: "no_endpoint" })).toBe(1),
    );
    expect(counter(pool, "cluster.upstream_cx_none_healthy")).toBe(1);
  });

  test("refuses a session beyond the most there may be, and counts it", async () => {
    const pool = await startPool(io, 1);
    const echo = await startEcho();
    await pool.apply(planOf({}, [echo.port]));
    const clients = Array.from({ length: 513 }, () => openClient());

    for (const client of clients) client.send("a", portOf(pool));

    await vi.waitFor(() =>
      expect(counter(pool, "msm_datagrams_dropped_total", { reason: "no_session" })).toBe(1),
    );
    expect(counter(pool, "udp.downstream_sess_active")).toBe(512);
  });

  test("keeps a session and its socket when the listener changes in place, and moves it when its endpoint goes", async () => {
    const pool = await startPool(io);
    const [first, second] = [await startEcho(), await startEcho()];
    const plan = planOf({}, [first.port]);
    await pool.apply(plan);
    const port = portOf(pool);
    const client = openClient();
    client.send("a", port);
    await vi.waitFor(() => expect(client.echoes).toEqual(["a"]));

    await pool.apply({ ...plan, listeners: [{ ...plan.listeners[0]!, idleTimeoutMs: 50_000 }] });
    client.send("b", port);
    await vi.waitFor(() => expect(client.echoes).toEqual(["a", "b"]));
    expect(first.clients.size).toBe(1);

    await pool.apply(planOf({ address: { address: "127.0.0.1", port: 0 } }, [second.port]));
    client.send("c", port);
    await vi.waitFor(() => expect(client.echoes).toEqual(["a", "b", "c"]));
    expect(second.clients.size).toBe(1);
  });

  test("rejects a listener whose port is taken and leaves the others", async () => {
    const pool = await startPool(io);
    const echo = await startEcho();
    const good = planOf({}, [echo.port]);
    const taken = {
      ...good.listeners[0]!,
      name: "taken",
      address: { address: "127.0.0.1", port: echo.port },
    };

    const rejections = await pool.apply({ ...good, listeners: [taken, ...good.listeners] });

    expect(rejections).toMatchObject([{ listener: "taken", error: { errno: "EADDRINUSE" } }]);
    expect(pool.listeners().map(({ plan }) => plan.name)).toEqual(["edge"]);
    const client = openClient();
    client.send("a", portOf(pool));
    await vi.waitFor(() => expect(client.echoes).toEqual(["a"]));
  });

  test("names a listener only when a datagram for it is served", async () => {
    const pool = await startPool(io);
    const echo = await startEcho();
    const client = openClient();
    const applied = pool.apply(planOf({}, [echo.port]));
    while (pool.listeners().length === 0) await new Promise(setImmediate);

    client.send("a", portOf(pool));

    await vi.waitFor(() => expect(client.echoes).toEqual(["a"]));
    await applied;
  });

  test("gives a removed listener's port back", async () => {
    const pool = await startPool(io);
    const plan = planOf({}, [9]);
    await pool.apply(plan);
    const port = portOf(pool);
    await pool.apply({ listeners: [], clusters: plan.clusters });

    const socket = openSocket();
    await vi.waitFor(async () => {
      socket.bind(port, "127.0.0.1");
      await once(socket, "listening");
    });
    expect(pool.listeners()).toEqual([]);
  });

  test.each(["throw", "spin"] as const)(
    "serves again after every worker failed (%s)",
    { timeout: 30_000 },
    async (how) => {
      const pool = await startPool(io);
      const echo = await startEcho();
      await pool.apply(planOf({}, [echo.port]));
      const client = openClient();
      client.send("a", portOf(pool));
      await vi.waitFor(() => expect(client.echoes).toContain("a"));

      for (let worker = 0; worker < pool.concurrency; worker++) pool.fail(worker, how);

      await vi.waitFor(() => expect(counter(pool, "msm_worker_restarts_total")).toBe(pool.concurrency), {
        timeout: 10_000,
      });
      await vi.waitFor(() => {
        client.send("b", portOf(pool));
        expect(client.echoes).toContain("b");
      });
      expect(counter(pool, "udp.downstream_sess_rx_datagrams")).toBeGreaterThan(1);
    },
  );
});

test("a worker's sessions survive it, with the port that their endpoint knows", async () => {
  const pool = await startPool("mmsg", 1);
  const echo = await startEcho();
  await pool.apply(planOf({}, [echo.port]));
  const client = openClient();
  client.send("a", portOf(pool));
  await vi.waitFor(() => expect(client.echoes).toEqual(["a"]));

  pool.fail(0, "throw");
  client.send("b", portOf(pool));

  await vi.waitFor(() => expect(client.echoes).toEqual(["a", "b"]));
  expect(echo.clients.size).toBe(1);
  expect(counter(pool, "udp.downstream_sess_total")).toBe(1);
});

test("an unknown backend is refused by naming those there are", async () => {
  await expect(startDatapath({ io: "xdp", concurrency: 1, logger: silent })).rejects.toThrow(
    /no I\/O backend "xdp": there are .*mmsg/,
  );
});
