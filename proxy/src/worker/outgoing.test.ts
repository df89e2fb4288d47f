// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { backendNames } from "../io/load-backend.ts";
import type { Plan } from "../plan.ts";
import { scriptPlan } from "../wasm/testdata/script-filter.ts";
import { startDatapath, type WorkerPool } from "./worker-pool.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const WAIT = { timeout: 15_000 };

/** Does with a datagram what its text says. The other direction passes. */
const OBEDIENT = `
  export const wants = { emitCapacity: 64 };
  let notes;
  const text = (datagram) => String.fromCharCode(...datagram.data);
  const bytes = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  export function onDatagrams(batch) {
    for (const datagram of batch) {
      if (datagram.toClient) continue;
      const [word, number] = text(datagram).split(" ");
      msm.setContext(datagram.session);
      if (word === "answer") datagram.reply();
      else if (word === "wait") datagram.sendAt(batch.nowMs + Number(number));
      else if (word === "hold") datagram.pause();
      else if (word === "go") msm.continueStream(2);
      else if (word === "route") msm.routeSession(datagram.session, number) || datagram.drop();
      else if (word === "copy" || word === "show") {
        // To an endpoint of the session's cluster, or to a cluster.
        const added = batch.add(datagram.session, false, datagram.data.slice());
        added.target = msm.resolveTarget(word === "copy" ? 2 : 1, number);
      }
      else if (word === "note") {
        notes ??= msm.openSink("notes.txt", "notes:");
        if (notes === undefined || !msm.writeSink(notes, datagram.data.slice())) datagram.reply();
      }
      else if (word === "close") msm.closeStream(2);
      else if (word === "many") {
        for (let i = 0; i < 50; i++) batch.add(datagram.session, i % 2 === 1, bytes("copy " + i));
      }
    }
  }`;

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Peer {
  readonly socket: Socket;
  readonly heard: string[];
}

async function openPeer(): Promise<Peer> {
  const socket = createSocket("udp4");
  closers.push(() => socket.close());
  const heard: string[] = [];
  socket.on("message", (data) => heard.push(data.toString()));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return { socket, heard };
}

/** A mesh of one listener with that filter, an endpoint and a client. */
async function start(io: string, captureFolder?: string) {
  const pool: WorkerPool = await startDatapath({ io, concurrency: 1, logger: silent, captureFolder });
  closers.push(() => pool.close());
  const endpoint = await openPeer();
  const other = await openPeer();
  const client = await openPeer();
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
        filters: [await scriptPlan(OBEDIENT)],
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
  const send = (text: string): void => client.socket.send(text, port, "127.0.0.1");
  const active = (): unknown =>
    pool.samples().find(({ name }) => name === "udp.downstream_sess_active")?.value;
  const lost = (): unknown =>
    pool.samples().find(({ name }) => name === "msm_filter_outgoing_lost_total")?.value;
  return { endpoint, other, client, send, active, lost };
}

describe.each(await backendNames())("what filters send on %s", (io) => {
  test("an answer comes back, and datagrams that were added go both ways", async () => {
    const { endpoint, client, send } = await start(io);
    send("answer me");
    send("many");
    await vi.waitFor(() => expect(client.heard).toHaveLength(26), WAIT);
    await vi.waitFor(() => expect(endpoint.heard).toHaveLength(26), WAIT);
    const copies = (first: number): string[] => Array.from({ length: 25 }, (_, i) => `copy ${2 * i + first}`);
    expect([...client.heard].sort()).toEqual(["answer me", ...copies(1)].sort());
    expect([...endpoint.heard].sort()).toEqual(["many", ...copies(0)].sort());
  });

  test("a datagram that may not leave yet leaves when it is due, behind those that came later", async () => {
    const { endpoint, send } = await start(io);
    send("wait 60");
    send("wait 20");
    send("now");
    await vi.waitFor(() => expect(endpoint.heard).toEqual(["now", "wait 20", "wait 60"]), WAIT);
  });

  test("paused datagrams go on when the filter says so, in their order", async () => {
    const { endpoint, send } = await start(io);
    send("hold 1");
    send("hold 2");
    send("pass");
    await vi.waitFor(() => expect(endpoint.heard).toEqual(["pass"]), WAIT);
    send("go");
    await vi.waitFor(
      () => expect([...endpoint.heard].sort()).toEqual(["go", "hold 1", "hold 2", "pass"]),
      WAIT,
    );
    expect(endpoint.heard.indexOf("hold 1")).toBeLessThan(endpoint.heard.indexOf("hold 2"));
  });

  test("a session goes on to the endpoint that a filter says, and its answers come from there", async () => {
    const { endpoint, other, client, send, active } = await start(io);
    other.socket.on("message", (_, from) => other.socket.send("from the other", from.port, from.address));
    const address = `127.0.0.1:${other.socket.address().port}`;
    send("first");
    await vi.waitFor(() => expect(endpoint.heard).toEqual(["first"]), WAIT);
    send(`route ${address}`);
    send("second");
    await vi.waitFor(() => expect(other.heard).toEqual([`route ${address}`, "second"]), WAIT);
    await vi.waitFor(() => expect(client.heard).toEqual(["from the other", "from the other"]), WAIT);
    send("route 127.0.0.1:1");
    send("third");
    await vi.waitFor(() => expect(other.heard).toContain("third"), WAIT);
    expect(other.heard).not.toContain("route 127.0.0.1:1");
    expect([endpoint.heard, active()]).toEqual([["first"], 1]);
  });

  test("copies reach a target by a socket of their own, and what it answers reaches nobody", async () => {
    const { endpoint, other, client, send, active } = await start(io);
    const ports = new Set<number>();
    other.socket.on("message", (_, from) => {
      ports.add(from.port);
      other.socket.send("from the target", from.port, from.address);
    });
    endpoint.socket.on("message", (_, from) =>
      endpoint.socket.send("from the endpoint", from.port, from.address),
    );
    const address = `127.0.0.1:${other.socket.address().port}`;
    const copied = Array.from({ length: 20 }, (_, i) => `copy ${address} ${i}`);
    for (const text of copied) send(text);
    await vi.waitFor(() => expect(other.heard).toEqual(copied), WAIT);
    await vi.waitFor(() => expect(client.heard).toHaveLength(20), WAIT);
    expect([...endpoint.heard].sort()).toEqual([...copied].sort());
    expect([ports.size, active()]).toEqual([1, 1]);
    send("show server");
    await vi.waitFor(() => expect(endpoint.heard.slice(20)).toEqual(["show server", "show server"]), WAIT);
    expect(new Set(client.heard)).toEqual(new Set(["from the endpoint"]));
  });

  test("copies to a target that is not there are counted, and the session goes on", async () => {
    const { endpoint, send, lost } = await start(io);
    send("copy 127.0.0.1:1");
    send("show nothing");
    await vi.waitFor(() => expect(endpoint.heard).toEqual(["copy 127.0.0.1:1", "show nothing"]), WAIT);
    await vi.waitFor(() => expect(lost()).toBe(2), WAIT);
  });

  test("what a filter writes to a sink is in a file, if there is a folder for it", async () => {
    const captureFolder = await mkdtemp(path.join(os.tmpdir(), "msm-capture-"));
    closers.push(() => rm(captureFolder, { recursive: true, force: true }));
    const { endpoint, send } = await start(io, captureFolder);
    send("note 1");
    send("note 2");
    await vi.waitFor(() => expect(endpoint.heard).toEqual(["note 1", "note 2"]), WAIT);
    const file = path.join(captureFolder, "edge.0.000001.notes.txt");
    await vi.waitFor(async () => expect(await readFile(file, "utf8")).toBe("notes:note 1note 2"), WAIT);
  });

  test("without a folder a filter is told that it cannot write", async () => {
    const { client, send } = await start(io);
    send("note 1");
    await vi.waitFor(() => expect(client.heard).toEqual(["note 1"]), WAIT);
  });

  test("a session that a filter wants closed is closed, and its client begins a new one", async () => {
    const { endpoint, send, active } = await start(io);
    const ports = new Set<number>();
    endpoint.socket.on("message", (_, from) => ports.add(from.port));
    send("first");
    await vi.waitFor(() => expect(active()).toBe(1), WAIT);
    send("close");
    await vi.waitFor(() => expect(active()).toBe(0), WAIT);
    send("again");
    await vi.waitFor(() => expect(endpoint.heard).toContain("again"), WAIT);
    expect(ports.size).toBe(2);
  });
});
