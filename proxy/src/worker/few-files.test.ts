// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test, vi } from "vitest";
import { workerEntry } from "./worker-entry.ts";

const PATIENCE = { timeout: 20_000, interval: 10 };
/** Node and its threads take some forty. */
const MOST_FILES = 100;
const CLIENTS = 80;

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

test.runIf(process.platform === "linux")(
  "a process that may have no more files refuses sessions and flows, counts them, and serves those that it has",
  async () => {
    const endpoint = await openSocket();
    endpoint.on("message", (data, from) => endpoint.send(data, from.port, from.address));
    const program = fileURLToPath(workerEntry(import.meta.url, "testing/few-files"));
    const command = `ulimit -n ${MOST_FILES} && exec "$0" "$1" "$2"`;
    const args = ["-c", command, process.execPath, program, String(endpoint.address().port)];
    child = spawn("sh", args, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    const [{ port }] = (await once(child, "message")) as [{ port: number }];

    const echoes = new Map<Socket, number>();
    for (let i = 0; i < CLIENTS; i++) {
      const client = await openSocket();
      client.on("message", () => echoes.set(client, (echoes.get(client) ?? 0) + 1));
      client.send(`hello ${i}`, port, "127.0.0.1");
    }
    await vi.waitFor(async () => {
      const { sessionsRefused } = await ask("sessions");
      expect(Number(sessionsRefused) + echoes.size).toBe(CLIENTS);
    }, PATIENCE);
    expect(echoes.size).toBeGreaterThan(0);
    expect(echoes.size).toBeLessThan(CLIENTS);

    expect(await ask("open flows")).toEqual({ code: "MSM_FLOW_LIMIT", flowsRefused: 1 });
    const [served] = echoes.keys();
    served!.send("still there?", port, "127.0.0.1");
    await vi.waitFor(() => expect(echoes.get(served!)).toBe(2), PATIENCE);
  },
);
