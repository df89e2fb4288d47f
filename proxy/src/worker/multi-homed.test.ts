// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, expect, test, vi } from "vitest";
import type { FilterPlan } from "../plan.ts";
import { scriptPlan } from "../wasm/testdata/script-filter.ts";
import { startDatapath, type WorkerPool } from "./worker-pool.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const WAIT = { timeout: 15_000 };

/** At stage LISTENER: answers at once what begins with "ask", and finds sessions of what begins with "key" by a key. */
const DOORKEEPER = `
  export const wants = { stages: 1 };
  export function onDatagrams(batch) {
    for (const datagram of batch) {
      const text = String.fromCharCode(...datagram.data);
      if (text.startsWith("ask")) datagram.reply();
      else if (text.startsWith("key")) datagram.setKey(5, 7);
    }
  }`;

/** Tells the client where the session's datagrams are sent to. */
const TELLER = `
  export const wants = { emitCapacity: 8 };
  export function onDatagrams(batch) {
    for (const datagram of batch) {
      if (datagram.toClient) continue;
      msm.setContext(datagram.session);
      const text = "to " + msm.property("destination.address");
      batch.add(datagram.session, true, Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
    }
  }`;

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Filters {
  readonly listenerFilters?: readonly FilterPlan[];
  readonly filters?: readonly FilterPlan[];
}

/** A listener on every address with an endpoint that sends each datagram back `copies` times. */
async function start({ listenerFilters = [], filters = [] }: Filters, copies = 1, isVersion6 = false) {
  const pool: WorkerPool = await startDatapath({ io: "mmsg", concurrency: 1, logger: silent });
  closers.push(() => pool.close());
  const { socket: endpoint } = await openSocket(isVersion6);
  const ports = new Set<number>();
  endpoint.on("message", (data, { port, address }) => {
    ports.add(port);
    for (let i = 0; i < copies; i++) endpoint.send(data, port, address);
  });
  const listener = {
    name: "edge",
    address: { address: isVersion6 ? "::" : "0.0.0.0", port: 0 },
    statPrefix: "edge",
    cluster: "server",
    idleTimeoutMs: 60_000,
    maxRxDatagramBytes: 65_535,
    preferGro: true,
    listenerFilters,
    filters,
  };
  const cluster = { name: "server", endpoints: [endpoint.address()] };
  expect(await pool.apply({ listeners: [listener], clusters: [cluster] })).toEqual([]);
  const { port } = pool.listeners()[0]!.localAddress;
  return { pool, port, ports };
}

interface Client {
  readonly socket: Socket;
  /** What it heard, as `address text`. */
  readonly heard: string[];
}

async function openSocket(isVersion6 = false): Promise<Client> {
  const socket = createSocket(isVersion6 ? "udp6" : "udp4");
  closers.push(() => socket.close());
  const heard: string[] = [];
  socket.on("message", (data: Buffer, from: RemoteInfo) => heard.push(`${from.address} ${data}`));
  socket.bind(0, isVersion6 ? "::1" : "127.0.0.1");
  await once(socket, "listening");
  return { socket, heard };
}

test("answers leave from the address that the client spoke to, also to sockets that take them from there alone", async () => {
  const { port, ports } = await start({}, 20);
  for (const address of ["127.0.0.1", "127.0.0.2", "127.0.0.3"]) {
    const { socket, heard } = await openSocket();
    socket.connect(port, address);
    await once(socket, "connect");
    socket.send("hello");
    // Twenty at once: they come and leave as runs.
    await vi.waitFor(() => expect(heard).toHaveLength(20), WAIT);
    expect(new Set(heard)).toEqual(new Set([`${address} hello`]));
  }
  expect(ports.size).toBe(3);
});

test("a client that speaks to two addresses has a session for each, and a rebuilt worker keeps both", async () => {
  const { pool, port, ports } = await start({ filters: [await scriptPlan(TELLER)] });
  const { socket, heard } = await openSocket();
  const ask = async (address: string): Promise<void> => {
    const before = heard.length;
    socket.send("hello", port, address);
    await vi.waitFor(() => expect(heard).toHaveLength(before + 2), WAIT);
    const expected = [`${address} hello`, `${address} to ${address}:${port}`];
    expect(heard.slice(before).sort()).toEqual(expected);
  };
  await ask("127.0.0.2");
  await ask("127.0.0.3");
  expect(ports.size).toBe(2);
  pool.fail(0, "throw");
  await ask("127.0.0.2");
  await ask("127.0.0.3");
  expect(ports.size).toBe(2);
});

test("what listener filters answer leaves from there, and a session that is found by a key follows its client", async () => {
  const { port, ports } = await start({ listenerFilters: [await scriptPlan(DOORKEEPER)] });
  const { socket, heard } = await openSocket();
  for (const [text, address] of [
    ["ask", "127.0.0.2"],
    ["key", "127.0.0.2"],
    ["key again", "127.0.0.3"],
    ["ask again", "127.0.0.3"],
  ] as const) {
    socket.send(text, port, address);
    await vi.waitFor(() => expect(heard.at(-1)).toBe(`${address} ${text}`), WAIT);
  }
  expect(ports.size).toBe(1);
});

test("with IPv6, answers of a listener on every address arrive, alone and in runs", async () => {
  const { port } = await start({}, 20, true);
  const { socket, heard } = await openSocket(true);
  socket.connect(port, "::1");
  await once(socket, "connect");
  socket.send("hello");
  await vi.waitFor(() => expect(heard).toHaveLength(20), WAIT);
});
