// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createServer, type Server } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { InterleavedRing } from "../flow/interleaved-ring.ts";
import type { ClusterPlan, FilterPlan, Plan, SignallingPlan, SocketAddress } from "../plan.ts";
import type { RouteTablePlan } from "../routes/route-plan.ts";
import { SignallingPool } from "./signalling-pool.ts";
import { FakeFlows } from "./testdata/fake-flows.ts";
import { switchboard } from "./testdata/switchboard.ts";
import { TestClient, until } from "./testdata/test-client.ts";
import { signallingPlan, testOptions } from "./testdata/wat-signalling.ts";

const filter = await signallingPlan(switchboard(), { name: "board" });
const noRoutes: RouteTablePlan = { name: "edge", hosts: [] };

let flows: FakeFlows;
let pool: SignallingPool;
let logs: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[];
let clients: TestClient[];
let servers: Server[];

beforeEach(() => {
  flows = new FakeFlows();
  logs = [];
  clients = [];
  servers = [];
  const log = (fields: object, message: string) =>
    void logs.push({ message, fields: fields as Record<string, unknown> });
  pool = new SignallingPool({
    concurrency: 2,
    flows,
    logger: { debug: log, info: log, warn: log, error: log },
  });
});

afterEach(async () => {
  for (const client of clients) client.close();
  for (const server of servers) server.close();
  await pool.close();
});

function listener(name: string, changes: Partial<SignallingPlan> = {}): SignallingPlan {
  return {
    ...{ name, address: { address: "127.0.0.1", port: 0 }, statPrefix: name, filter, routes: noRoutes },
    ...{ options: testOptions, mediaChain: [], maxConnections: 100 },
    ...changes,
  };
}

async function apply(signalling: readonly SignallingPlan[], clusters: readonly ClusterPlan[] = []) {
  const plan: Plan = { listeners: [], clusters, signalling };
  return (await pool.apply(plan)).map(({ listener: name, error }) => `${name}: ${error.message}`);
}

function addressOf(name: string): SocketAddress {
  const live = pool.listeners().find(({ plan }) => plan.name === name);
  if (live === undefined) throw new Error(`listener ${name} is not open`);
  return live.localAddress;
}

async function client(name: string): Promise<TestClient> {
  const connected = await TestClient.connect(addressOf(name));
  clients.push(connected);
  return connected;
}

function metric(name: string, labels: Readonly<Record<string, string>> = {}): number {
  const found = pool
    .samples()
    .filter((sample) => sample.name === name)
    .filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value));
  return found.reduce((sum, { value }) => sum + Number(value), 0);
}

/** A server that answers what it gets with a greeting before it. */
async function upstream(greeting: string): Promise<ClusterPlan> {
  const server = createServer((socket) => {
    socket.on("data", (data) => socket.write(`${greeting}${data}`));
    socket.on("error", () => {});
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return { name: greeting, endpoints: [{ address: "127.0.0.1", port }] };
}

describe("connections", () => {
  test("are served by the filter, counted, and logged when they end", async () => {
    expect(await apply([listener("a")])).toEqual([]);
    const one = await client("a");
    one.send("ehello");
    await one.expect("ehello");
    expect(metric("msm_signalling_connections_active", { listener: "a" })).toBe(1);
    one.send("b");
    await one.closed();
    await until(() => metric("msm_signalling_connections_active") === 0, "the end of the connection");
    expect(metric("msm_signalling_received_bytes_total")).toBe(7);
    const line = () => logs.find(({ message }) => message === "connection closed");
    await until(() => line() !== undefined, "the line in the log");
    expect(line()?.fields).toMatchObject({ listener: "a", bytesRead: 7, bytesWritten: 6, by: "local" });
  });

  test("beyond the limit are refused, and others are not disturbed", async () => {
    await apply([listener("a", { maxConnections: 1 })]);
    const one = await client("a");
    one.send("e1");
    await one.expect("e1");
    const two = await client("a");
    await two.closed();
    expect(metric("msm_signalling_connections_refused_total", { reason: "too_many" })).toBe(1);
    one.send("e2");
    await one.expect("e2");
  });

  test("on which nothing is said are closed after their time", async () => {
    await apply([listener("a", { options: { ...testOptions, idleTimeoutMs: 50 } })]);
    await (await client("a")).closed();
    await until(() => metric("msm_signalling_idle_timeouts_total") === 1, "the count");
  });

  test("may send much at once and wait with reading: nothing is lost", async () => {
    await apply([listener("a", { maxConnections: 3 })]);
    const one = await client("a");
    one.socket.pause();
    const part = "e".repeat(16_384);
    for (let i = 0; i < 20; i++) one.send(part);
    one.socket.resume();
    await until(() => one.text.length === 20 * part.length, "everything that was sent");
  });
});

describe("a filter that breaks", () => {
  test.each([
    ["x", "trap"],
    ["l", "overrun"],
  ])("on %s loses its own connections alone, and is made anew", async (command, kind) => {
    await apply([listener("a"), listener("b"), listener("c")]);
    const [one, two] = [await client("a"), await client("a")];
    const [other, third] = [await client("b"), await client("c")];
    one.send("f{}");
    await one.expect("O0F1");
    one.send(command);
    await Promise.all([one.closed(), two.closed()]);
    for (const untouched of [other, third]) {
      untouched.send("eI am here");
      await untouched.expect("eI am here");
    }
    await until(
      () => metric("msm_filter_failures_total", { listener: "a", kind, filter: "board" }) === 1,
      "the count",
    );
    await until(() => flows.released.length === 1, "the release of its flows");
    expect(flows.released[0]?.lingerMs).toBe(10_000);
    expect(metric("msm_signalling_worker_restarts_total")).toBe(0);
    await until(() => metric("msm_signalling_instances_total", { listener: "a" }) === 2, "the new instance");
    const next = await client("a");
    next.send("eback");
    await next.expect("eback");
  });
});

describe("a worker", () => {
  test.each(["spin", "throw"] as const)("that fails by %s is rebuilt on the same port", async (how) => {
    await apply([listener("a")]);
    const before = addressOf("a");
    const one = await client("a");
    one.send("f{}");
    await one.expect("O0F1");
    pool.fail(0, how);
    await one.closed();
    await until(() => metric("msm_signalling_worker_restarts_total") === 1, "the restart");
    expect(flows.released.map(({ lingerMs }) => lingerMs)).toEqual([10_000]);
    const retry = async (): Promise<TestClient> => {
      for (;;) {
        const connected = await TestClient.connect(before).catch(() => undefined);
        if (connected !== undefined) return connected;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const next = await retry();
    clients.push(next);
    next.send("eagain");
    await next.expect("eagain");
    expect(metric("msm_signalling_connections_active")).toBe(1);
  });
});

describe("streams", () => {
  test("go to an endpoint of a cluster and are told of", async () => {
    const cluster = await upstream("cams");
    await apply([listener("a")], [cluster]);
    const one = await client("a");
    one.send('c{"cluster":"cams"}');
    await one.expect("C0S1");
    one.send("sOPTIONS");
    await one.expect("camsOPTIONS");
    expect(metric("msm_signalling_streams_active")).toBe(1);
  });

  test("to nowhere fail, and say so", async () => {
    await apply([listener("a")], [{ name: "gone", endpoints: [{ address: "127.0.0.1", port: 1 }] }]);
    const one = await client("a");
    one.send('c{"cluster":"gone"}');
    await one.expect("C0S2");
    one.send('c{"cluster":"unheard of"}');
    await one.expect("C0S2");
    expect(metric("msm_signalling_streams_failed_total")).toBe(2);
  });
});

describe("routes", () => {
  const routesTo = (cluster: string): RouteTablePlan => ({
    name: "edge",
    hosts: [
      {
        name: "cams",
        domains: ["*"],
        routes: [
          {
            name: "lobby",
            path: { kind: "exact", value: "/lobby", isCaseSensitive: true },
            headers: [],
            fraction: 1,
            action: {
              kind: "forward",
              clusters: [{ name: cluster, weight: 1 }],
              pathRewrite: undefined,
              hostRewrite: undefined,
              hashes: [],
            },
          },
        ],
      },
    ],
  });
  const ask = (path: string): string => `r{"host":"h","path":"${path}","method":"DESCRIBE"}`;

  test("are followed by connections that are open when they change", async () => {
    const plan = listener("a", { routes: routesTo("cams") });
    await apply([plan], [{ name: "cams", endpoints: [{ address: "127.0.0.1", port: 9 }] }]);
    const one = await client("a");
    one.send(ask("/lobby"));
    await one.expect("R0");
    one.send(ask("/hall"));
    await one.expect("no route of virtual host cams matches DESCRIBE /hall");
    expect(pool.endpoints()).toMatchObject([{ cluster: "cams", sessionsActive: 1 }]);
    await apply([{ ...plan, routes: routesTo("empty") }], [{ name: "empty", endpoints: [] }]);
    one.send(ask("/lobby"));
    await one.expect("cluster empty has no endpoint that takes sessions");
    expect(metric("msm_signalling_routes_not_found_total")).toBe(2);
  });
});

describe("changes", () => {
  test("a new filter takes new connections, and the old one keeps its own", async () => {
    const plan = listener("a");
    await apply([plan]);
    const old = await client("a");
    old.send("e1");
    await old.expect("e1");
    const newer: FilterPlan = await signallingPlan(switchboard("n"), { name: "board" });
    await apply([{ ...plan, filter: newer }]);
    const fresh = await client("a");
    fresh.send("e2");
    await fresh.expect("n2");
    old.send("e3");
    await old.expect("e3");
    old.close();
    await until(
      () => flows.released.length === 0 && metric("msm_signalling_connections_active") === 1,
      "the end",
    );
  });

  test("a listener that is taken out closes its port and its connections", async () => {
    await apply([listener("a"), listener("b")]);
    const one = await client("a");
    const address = addressOf("a");
    await apply([listener("b")]);
    await one.closed();
    await expect(TestClient.connect(address)).rejects.toThrow("ECONNREFUSED");
    expect(pool.listeners().map(({ plan }) => plan.name)).toEqual(["b"]);
    await apply([]);
    expect(pool.listeners()).toEqual([]);
  });

  test("a listener moves to another port and keeps its connections; a port that is taken is refused", async () => {
    const plan = listener("a");
    await apply([plan, listener("b")]);
    const one = await client("a");
    const taken = await apply([{ ...plan, address: addressOf("b") }, listener("b")]);
    expect(taken).toEqual([expect.stringContaining("EADDRINUSE")]);
    one.send("estill");
    await one.expect("estill");
    const { port } = addressOf("a");
    await apply([{ ...plan, address: { address: "127.0.0.2", port } }, listener("b")]);
    expect(addressOf("a")).toEqual({ address: "127.0.0.2", port });
    one.send("emoved");
    await one.expect("emoved");
    await (await client("a")).socket.end();
  });
});

describe("flows", () => {
  test("reach the FlowService with the listener's chain, and events come back", async () => {
    const mediaChain = [{ name: "rtp-stats" }] as unknown as SignallingPlan["mediaChain"];
    await apply([listener("a", { mediaChain })]);
    const one = await client("a");
    one.send('f{"stream":"lobby"}');
    await one.expect("O0F1");
    expect([...flows.open.values()]).toMatchObject([
      { id: "1", stream: "lobby", chain: [{ name: "rtp-stats" }] },
    ]);
  });

  test("that are open follow when the listener's chain changes, and their filter is told nothing", async () => {
    const chain = (name: string) => [{ name }] as unknown as SignallingPlan["mediaChain"];
    const plan = listener("a", { mediaChain: chain("one") });
    await apply([plan, listener("b")]);
    const [one, other] = [await client("a"), await client("b")];
    for (const each of [one, other]) {
      each.send('f{"stream":"lobby"}');
      await each.expect("O0F1");
    }
    await apply([{ ...plan, mediaChain: chain("two") }, listener("b")]);
    expect([...flows.open.values()].map((flow) => flow.chain.map(({ name }) => name))).toEqual([["two"], []]);
    one.send("estill");
    await one.expect("estill");
  });

  test("take packets that come inside connections, and give packets back as frames", async () => {
    await apply([listener("a")]);
    const rings = [1, 2].map(() => new SharedArrayBuffer(256 + 65_536));
    for (const ring of rings) new Int32Array(ring)[32] = 1;
    const [toDatapath, fromDatapath] = rings as [SharedArrayBuffer, SharedArrayBuffer];
    const channel = new MessageChannel();
    flows.ports[0]?.postMessage({ worker: 0, toDatapath, fromDatapath, port: channel.port2, eventfd: -1 }, [
      channel.port2 as never,
    ]);
    const one = await client("a");
    one.send("ie");
    await one.expect("I1");
    const leg = { id: "s", enabled: true, interleaved: { connection: String(2 ** 32 + 1), rtpChannel: 0 } };
    one.send(`f${JSON.stringify({ sources: [leg] })}`);
    await one.expect("O0F1");
    one.send("ipacket");
    await one.expect("I0");
    const reader = new InterleavedRing(toDatapath);
    await until(() => reader.next(), "the packet in the ring");
    const { connection, start, length } = reader;
    expect(connection).toBe(1);
    expect(Buffer.from(reader.bytes.subarray(start, start + length)).toString()).toBe("packet");
    const writer = new InterleavedRing(fromDatapath);
    for (const text of ["first", "second"]) writer.write(1, 7, Buffer.from(text));
    if (writer.publish()) channel.port1.postMessage(null);
    await one.expect("$\x07\x00\x05first$\x07\x00\x06second");
    writer.write(99, 7, Buffer.from("to nobody"));
    if (writer.publish()) channel.port1.postMessage(null);
    await until(() => metric("msm_signalling_frames_dropped_total") === 1, "the count");
    channel.port1.close();
  });
});
