// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test, vi } from "vitest";

const PROGRAM = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const WAIT = { timeout: 15_000 };
const UDP_PROXY = "type.googleapis.com/envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig";

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const at = (address: string, port: number) => ({ socket_address: { address, port_value: port } });

/** A proxy in a process of its own, with a listener to this port whose sessions end after two seconds of silence. */
async function startProgram(upstream: number, flags: readonly string[]) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "msm-main-"));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const udpProxy = { "@type": UDP_PROXY, stat_prefix: "edge", idle_timeout: "2s", cluster: "server" };
  const listener = {
    name: "edge",
    address: { socket_address: { protocol: "UDP", address: "127.0.0.1", port_value: 0 } },
    listener_filters: [{ name: "envoy.filters.udp_listener.udp_proxy", typed_config: udpProxy }],
  };
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: at("127.0.0.1", upstream) } }] }];
  const cluster = { name: "server", load_assignment: { cluster_name: "server", endpoints } };
  const file = path.join(folder, "bootstrap.json");
  const admin = { address: at("127.0.0.1", 0) };
  const content = { admin, static_resources: { listeners: [listener], clusters: [cluster] } };
  await writeFile(file, JSON.stringify(content));
  const program = spawn(process.execPath, [PROGRAM, "-c", file, "--concurrency", "1", ...flags]);
  closers.push(() => program.kill("SIGKILL"));
  const lines: Record<string, unknown>[] = [];
  createInterface({ input: program.stdout }).on("line", (line) => lines.push(JSON.parse(line)));
  const found = (msg: string) => vi.waitUntil(() => lines.find((line) => line.msg === msg), WAIT);
  const address = (await found("listener open")).address as string;
  return {
    program,
    found,
    port: Number(address.split(":")[1]),
    admin: `http://${(await found("listening")).admin as string}`,
  };
}

/** Answers what it gets with the same, or just keeps it. */
async function openPeer(isEcho: boolean): Promise<{ readonly socket: Socket; readonly heard: string[] }> {
  const socket = createSocket("udp4");
  closers.push(() => socket.close());
  const heard: string[] = [];
  socket.on("message", (data, { port, address }) => {
    heard.push(data.toString());
    if (isEcho) socket.send(data, port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return { socket, heard };
}

function ended(program: ChildProcess): Promise<unknown[]> {
  return once(program, "exit");
}

test("at SIGTERM sessions may go on, newcomers get none, and it ends when the last one does", async () => {
  const endpoint = await openPeer(true);
  const upstream = endpoint.socket.address().port;
  const { program, found, port, admin } = await startProgram(upstream, ["--termination-drain-s", "3600"]);
  const [client, newcomer] = [await openPeer(false), await openPeer(false)];
  const media = setInterval(() => client.socket.send("media", port, "127.0.0.1"), 20);
  closers.push(() => clearInterval(media));
  await vi.waitFor(() => expect(client.heard).toContain("media"), WAIT);
  const exit = ended(program);
  program.kill("SIGTERM");
  await found("draining");
  newcomer.socket.send("new", port, "127.0.0.1");
  client.socket.send("after", port, "127.0.0.1");
  await vi.waitFor(() => expect(client.heard).toContain("after"), WAIT);
  const ready = await fetch(`${admin}/ready`);
  expect([ready.status, await ready.text()]).toEqual([503, "DRAINING\n"]);
  clearInterval(media);
  expect(await exit).toEqual([0, null]);
  expect(await found("drained")).toMatchObject({ left: 0 });
  expect(new Set(endpoint.heard)).toEqual(new Set(["media", "after"]));
});

test.each([
  ["without being told to drain", [], 1],
  ["a second SIGTERM ends it at once", ["--termination-drain-s", "3600"], 2],
])("%s", async (_, flags, signals) => {
  const endpoint = await openPeer(true);
  const { program, found, port } = await startProgram(endpoint.socket.address().port, flags);
  const client = await openPeer(false);
  client.socket.send("before", port, "127.0.0.1");
  await vi.waitFor(() => expect(client.heard).toEqual(["before"]), WAIT);
  const exit = ended(program);
  program.kill("SIGTERM");
  if (signals > 1) {
    await found("draining");
    program.kill("SIGTERM");
  }
  expect(await exit).toEqual([0, null]);
});

test.each(["soon", "86401"])("a drain time of %s is refused", async (seconds) => {
  const program = spawn(process.execPath, [PROGRAM, "-c", "none.yaml", "--drain-time-s", seconds]);
  closers.push(() => program.kill("SIGKILL"));
  let said = "";
  program.stderr.on("data", (data) => {
    said += data;
  });
  const [code] = (await once(program, "close")) as [number];
  expect([code, said]).toEqual([1, expect.stringContaining("whole number of seconds")]);
});
