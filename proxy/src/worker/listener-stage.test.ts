// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, test, vi } from "vitest";
import { backendNames } from "../io/load-backend.ts";
import type { FilterPlan, Plan } from "../plan.ts";
import { scriptPlan } from "../wasm/testdata/script-filter.ts";
import { startDatapath, type WorkerPool } from "./worker-pool.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const WAIT = { timeout: 15_000 };

/** At stage LISTENER: does with a datagram what its first word says. */
const DOORKEEPER = `
  export const wants = { stages: 1 };
  export function onDatagrams(batch) {
    for (const datagram of batch) {
      const text = String.fromCharCode(...datagram.data);
      const [word, value] = text.split(" ");
      if (word === "drop") datagram.drop();
      else if (word === "who") {
        const { address, port } = datagram.source;
        const answer = address.join(".") + ":" + port;
        datagram.length = Math.min(datagram.length, answer.length);
        for (let i = 0; i < datagram.length; i++) datagram.setU8(i, answer.charCodeAt(i));
        datagram.reply();
      }
      else if (word === "key") datagram.setKey(Number(value), 7);
      else if (word === "to") datagram.retarget(msm.resolveTarget(2, value));
      else if (word === "cut") datagram.trimStart(4);
      if (word === "cut") datagram.mark = 42;
    }
  }`;

/** At stage SESSION: tells the client of the mark that it finds. */
const MARK_TELLER = `
  export const wants = { emitCapacity: 8 };
  export function onDatagrams(batch) {
    for (const datagram of batch) {
      if (datagram.mark === 0 || datagram.toClient) continue;
      msm.setContext(datagram.session);
      const text = "mark " + datagram.mark + " at stage " + msm.propertyBytes("msm.stage")[0] +
        " for " + msm.property("destination.address");
      batch.add(datagram.session, true, Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
    }
  }`;

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Peer {
  readonly socket: Socket;
  readonly heard: string[];
  /** Ports that it heard from. */
  readonly ports: Set<number>;
}

async function openPeer(): Promise<Peer> {
  const socket = createSocket("udp4");
  closers.push(() => socket.close());
  const peer: Peer = { socket, heard: [], ports: new Set() };
  socket.on("message", (data, from) => {
    peer.heard.push(data.toString());
    peer.ports.add(from.port);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return peer;
}

async function start(io: string, filters: readonly FilterPlan[] = []) {
  const pool: WorkerPool = await startDatapath({ io, concurrency: 1, logger: silent });
  closers.push(() => pool.close());
  const [endpoint, other, client] = [await openPeer(), await openPeer(), await openPeer()];
  const plan: Plan = {
    listeners: [
      {
        name: "edge",
        address: { address: "127.0.0.1", port: 0 },
        statPrefix: "edge",
        cluster: "server",
        idleTimeoutMs: 60_000,
        maxRxDatagramBytes: 65_535,
        preferGro: true,
        listenerFilters: [await scriptPlan(DOORKEEPER, { name: "doorkeeper" })],
        filters,
      },
    ],
    clusters: [
      {
        name: "server",
        // The other one has no share of new sessions.
        endpoints: [
          { address: "127.0.0.1", port: endpoint.socket.address().port },
          { address: "127.0.0.1", port: other.socket.address().port, priority: 1 },
        ],
      },
    ],
  };
  expect(await pool.apply(plan)).toEqual([]);
  const { port } = pool.listeners()[0]!.localAddress;
  const send = (text: string, from: Peer = client): void => from.socket.send(text, port, "127.0.0.1");
  const value = (name: string): number =>
    pool.samples().reduce((sum, sample) => sum + (sample.name === name ? Number(sample.value) : 0), 0);
  return { endpoint, other, client, send, value, port };
}

describe.each(await backendNames())("filters at stage LISTENER on %s", (io) => {
  test("what they drop or answer opens no session, and answers go to who asked", async () => {
    const { endpoint, client, send, value } = await start(io);
    send("drop this");
    send(`who am i ${"?".repeat(30)}`);
    await vi.waitFor(() => expect(client.heard).toEqual([`127.0.0.1:${client.socket.address().port}`]), WAIT);
    expect(value("udp.downstream_sess_total")).toBe(0);
    send("plain");
    await vi.waitFor(() => expect(endpoint.heard).toEqual(["plain"]), WAIT);
    expect([value("udp.downstream_sess_total"), value("msm_filter_dropped_total")]).toEqual([1, 1]);
  });

  test("a session that is found by a key follows its client to another address", async () => {
    const { endpoint, client, send, value } = await start(io);
    const moved = await openPeer();
    endpoint.socket.on("message", (data, from) =>
      endpoint.socket.send(`re: ${data}`, from.port, from.address),
    );
    send("key 5 first");
    await vi.waitFor(() => expect(client.heard).toEqual(["re: key 5 first"]), WAIT);
    send("key 5 second", moved);
    await vi.waitFor(() => expect(moved.heard).toEqual(["re: key 5 second"]), WAIT);
    send("key 6 another", moved);
    send("without", moved);
    await vi.waitFor(() => expect(moved.heard).toHaveLength(3), WAIT);
    expect([value("udp.downstream_sess_active"), endpoint.ports.size]).toEqual([3, 3]);
    send("key 5 third");
    await vi.waitFor(() => expect(client.heard).toEqual(["re: key 5 first", "re: key 5 third"]), WAIT);
    expect(endpoint.ports.size).toBe(3);
  });

  test("a session begins at the target that they chose, and stays there", async () => {
    const { endpoint, other, send } = await start(io);
    const text = `to 127.0.0.1:${other.socket.address().port}`;
    send(text);
    await vi.waitFor(() => expect(other.heard).toEqual([text]), WAIT);
    send("plain");
    await vi.waitFor(() => expect(other.heard).toEqual([text, "plain"]), WAIT);
    expect(endpoint.heard).toEqual([]);
  });

  test("session filters find what they changed, and what they said of a datagram", async () => {
    const { endpoint, client, send, port } = await start(io, [await scriptPlan(MARK_TELLER)]);
    send("cut this");
    await vi.waitFor(() => expect(endpoint.heard).toEqual(["this"]), WAIT);
    await vi.waitFor(() => expect(client.heard).toHaveLength(1), WAIT);
    expect(client.heard[0]).toBe(`mark 42 at stage 2 for 127.0.0.1:${port}`);
  });
});
