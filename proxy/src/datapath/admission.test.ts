// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, test, vi } from "vitest";
import { backendNames } from "../io/load-backend.ts";
import type { Plan } from "../plan.ts";
import { startDatapath, type WorkerPool } from "../worker/worker-pool.ts";
import { Admission } from "./admission.ts";
import { createCounterPage, ListenerSlot } from "./counters.ts";
import type { ListenerLimits } from "./listener-limits.ts";

const PATIENCE = { timeout: 10_000, interval: 5 };
const logger = { debug() {}, info() {}, warn() {}, error() {} };
const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function openSocket(address = "127.0.0.1"): Promise<Socket> {
  const socket = createSocket("udp4");
  closers.push(() => socket.close());
  socket.bind(0, address);
  await once(socket, "listening");
  return socket;
}

/** A listener with these limits in front of an endpoint that counts what comes. */
async function startListener(io: string, limits: ListenerLimits) {
  const pool = await startDatapath({ io, concurrency: 1, sessionsPerWorker: 64, logger });
  closers.push(() => pool.close());
  const endpoint = await openSocket();
  const arrived: string[] = [];
  endpoint.on("message", (data) => arrived.push(data.toString()));
  const { port } = endpoint.address();
  const plan = (changed: ListenerLimits): Plan => ({
    listeners: [
      {
        ...{ name: "edge", statPrefix: "edge", cluster: "one", address: { address: "127.0.0.1", port: 0 } },
        ...{
          idleTimeoutMs: 60_000,
          maxRxDatagramBytes: 1500,
          preferGro: false,
          filters: [],
          limits: changed,
        },
      },
    ],
    clusters: [{ name: "one", endpoints: [{ address: "127.0.0.1", port }] }],
  });
  await pool.apply(plan(limits));
  const send = (socket: Socket, text: string) =>
    socket.send(text, pool.listeners()[0]!.localAddress.port, "127.0.0.1");
  return { pool, arrived, send, change: (changed: ListenerLimits) => pool.apply(plan(changed)) };
}

function dropped(pool: WorkerPool, reason: string): unknown {
  const isMeant = ({ name, labels }: { name: string; labels: Readonly<Record<string, string>> }) =>
    name === "msm_datagrams_dropped_total" && labels.reason === reason;
  return pool.samples().find(isMeant)?.value;
}

describe.each(await backendNames())("the limits of a listener on %s", (io) => {
  test("a session beyond those of the listener is refused and counted; the others go on", async () => {
    const { pool, arrived, send } = await startListener(io, { maxSessions: 2 });
    const clients = [await openSocket(), await openSocket(), await openSocket()] as const;
    for (const [i, client] of clients.entries()) {
      send(client, `new ${i}`);
      await vi.waitFor(
        () => expect(arrived.length + Number(dropped(pool, "session_limit"))).toBe(i + 1),
        PATIENCE,
      );
    }
    send(clients[0], "again");
    await vi.waitFor(() => expect(arrived).toEqual(["new 0", "new 1", "again"]), PATIENCE);
    expect(dropped(pool, "session_limit")).toBe(1);
  });

  test("a source may have so many sessions and another as many again", async () => {
    const { pool, arrived, send } = await startListener(io, { maxSessionsPerSource: 1 });
    send(await openSocket(), "first");
    await vi.waitFor(() => expect(arrived).toEqual(["first"]), PATIENCE);
    send(await openSocket("127.0.0.2"), "other source");
    await vi.waitFor(() => expect(arrived).toEqual(["first", "other source"]), PATIENCE);
    send(await openSocket(), "too many");
    await vi.waitFor(() => expect(dropped(pool, "source_session_limit")).toBe(1), PATIENCE);
    expect(arrived).toEqual(["first", "other source"]);
  });

  test("draining, a listener keeps its sessions and opens none", async () => {
    const { pool, arrived, send, change } = await startListener(io, {});
    const known = await openSocket();
    send(known, "before");
    await vi.waitFor(() => expect(arrived).toEqual(["before"]), PATIENCE);
    await change({ isDraining: true });
    send(await openSocket(), "newcomer");
    await vi.waitFor(() => expect(dropped(pool, "draining")).toBe(1), PATIENCE);
    send(known, "after");
    await vi.waitFor(() => expect(arrived).toEqual(["before", "after"]), PATIENCE);
  });

  test.each([
    ["rate_limit", { datagramsPerSecond: 1 }],
    ["source_rate_limit", { datagramsPerSecondPerSource: 1 }],
  ] as const)("what goes beyond the rate is dropped as %s", async (reason, limits) => {
    const { pool, arrived, send } = await startListener(io, limits);
    const client = await openSocket();
    const sent = 200;
    for (let i = 0; i < sent; i++) send(client, `${i}`);
    await vi.waitFor(() => expect(arrived.length + Number(dropped(pool, reason))).toBe(sent), PATIENCE);
    expect(arrived[0]).toBe("0");
    expect(dropped(pool, reason)).toBeGreaterThan(sent / 2);
  });
});

test("workers share the rate of a listener, as far as each knows of the others", () => {
  const pages = [createCounterPage(), createCounterPage()] as const;
  const admissions = pages.map(
    (counters) => new Admission({ datagramsPerSecond: 100 }, { listenerCounters: 0, counters, pages }),
  );
  let passed = 0;
  for (let ms = 0; ms <= 10_000; ms++) {
    for (const admission of admissions) {
      admission.begin(ms);
      for (let i = 0; i < 5; i++) if (admission.takes(1)) passed++;
    }
  }
  // A second's worth at once, and ten seconds.
  expect(passed).toBeGreaterThanOrEqual(1_090);
  expect(passed).toBeLessThanOrEqual(1_110);
  expect(pages[0][ListenerSlot.admitted]! + pages[1][ListenerSlot.admitted]!).toBe(passed);
});
