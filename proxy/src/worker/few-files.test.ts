// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test, vi } from "vitest";
import { workerEntry } from "./worker-entry.ts";

const PATIENCE = { timeout: 20_000, interval: 10 };
/** Node and its threads take some forty. */
const MOST_FILES = 100;
const CLIENTS = 100;

const sockets: Socket[] = [];
let child: ChildProcess | undefined;
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.close();
  if (child?.connected) child.disconnect();
  if (child && child.exitCode === null) await once(child, "exit");
  child = undefined;
});

async function openSocket(): Promise<Socket> {
  const socket = createSocket("udp4");
  sockets.push(socket);
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

/** Asks the child, and waits for what it says. */
async function ask(question: string): Promise<Record<string, unknown>> {
  child!.send(question);
  const [answer] = await once(child!, "message");
  return answer as Record<string, unknown>;
}

/** Starts a datapath whose process may have few files. Returns the port that it listens to. */
async function startDatapath(endpoints: readonly Socket[]): Promise<number> {
  const program = fileURLToPath(workerEntry(import.meta.url, "testing/few-files"));
  const command = `ulimit -n ${MOST_FILES} && exec "$0" "$@"`;
  const ports = endpoints.map((endpoint) => String(endpoint.address().port));
  const args = ["-c", command, process.execPath, program, ...ports];
  child = spawn("sh", args, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  return port;
}

/** Lets as many clients as there may be, and more, send to `port`. What each gets back stands in the map. */
async function greet(port: number): Promise<Map<Socket, string[]>> {
  const echoes = new Map<Socket, string[]>();
  for (let i = 0; i < CLIENTS; i++) {
    const client = await openSocket();
    client.on("message", (data) => echoes.set(client, [...(echoes.get(client) ?? []), data.toString()]));
    client.send(String(client.address().port), port, "127.0.0.1");
  }
  await vi.waitFor(async () => {
    const { sessionsRefused } = await ask("sessions");
    expect(Number(sessionsRefused) + echoes.size).toBe(CLIENTS);
  }, PATIENCE);
  expect(echoes.size).toBeGreaterThan(0);
  expect(echoes.size).toBeLessThan(CLIENTS);
  return echoes;
}

describe.runIf(process.platform === "linux")("a process that may have no more files", () => {
  test("refuses sessions and flows, counts them, and serves those that it has", async () => {
    const endpoint = await openSocket();
    endpoint.on("message", (data, from) => endpoint.send(data, from.port, from.address));
    const port = await startDatapath([endpoint]);

    const echoes = await greet(port);

    expect(await ask("open flows")).toEqual({ code: "MSM_FLOW_LIMIT", flowsRefused: 1 });
    const [served] = echoes.keys();
    served!.send("still there?", port, "127.0.0.1");
    await vi.waitFor(() => expect(echoes.get(served!)).toHaveLength(2), PATIENCE);
  });

  test("lets sessions to different endpoints share ports, which stay apart, also when the worker is replaced", async () => {
    const endpoints = [await openSocket(), await openSocket(), await openSocket()];
    /** By endpoint and the port that it is spoken to from: who speaks. */
    const senders = new Map<string, Set<string>>();
    const portUsers = new Map<number, Set<Socket>>();
    for (const [i, endpoint] of endpoints.entries()) {
      endpoint.on("message", (data, from) => {
        const key = `${i} ${from.port}`;
        senders.set(key, (senders.get(key) ?? new Set()).add(data.toString()));
        portUsers.set(from.port, (portUsers.get(from.port) ?? new Set()).add(endpoint));
        endpoint.send(data, from.port, from.address);
      });
    }
    const port = await startDatapath(endpoints);

    const echoes = await greet(port);

    expect(portUsers.size).toBeLessThan(echoes.size);
    expect(senders.size).toBe(echoes.size);
    const [shared] = [...portUsers].find(([, users]) => users.size === endpoints.length)!;
    const stranger = await openSocket();
    stranger.send("to whom?", shared, "127.0.0.1");
    await vi.waitFor(async () => expect(await ask("sessions")).toMatchObject({ strangers: 1 }), PATIENCE);

    await ask("end the worker");
    await vi.waitFor(async () => expect(await ask("sessions")).toMatchObject({ restarts: 1 }), PATIENCE);
    for (const client of echoes.keys()) client.send(String(client.address().port), port, "127.0.0.1");
    await vi.waitFor(() => {
      for (const [client, texts] of echoes)
        expect(texts).toEqual([String(client.address().port), String(client.address().port)]);
    }, PATIENCE);
    expect(senders.size).toBe(echoes.size);
    for (const clients of senders.values()) expect(clients.size).toBe(1);
  });
});
