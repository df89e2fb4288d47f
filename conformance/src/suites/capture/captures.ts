// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { setImmediate as immediate } from "node:timers/promises";
import { freeUdpPorts, type Mesh, until } from "@msm/deploy";
import { meshYaml } from "../../mesh-yaml.ts";
import type { Scenario, ScenarioContext } from "../../runner/suite.ts";
import { EchoEndpoint } from "../../traffic/echo-endpoint.ts";
import { countPackets, readPackets } from "./tshark.ts";

const ADDRESS = "127.0.0.1";
const DATAGRAMS = 300;

/** IPv4 and UDP. */
const HEADER_BYTES = 28;

/** Clocks of one machine: the kernel's receive time is between the send and a busy moment later. */
const SLACK_NS = 250_000_000n;

/** What README.md of the filter promises. */
const FILE_BYTES = 16 << 20;
const FILES = 8;

/** The largest that a listener takes unless told otherwise. */
const LARGE_BYTES = 1_472;

/** More than all files together may hold, both directions of the echo. */
const ROTATION_DATAGRAMS = 62_000;
const WINDOW = 24;

/** What has not come back by then will not. */
const LOST_MS = 200;

/** Count, bytes, order, ports and times of what was sent. */
export const readByTshark: Scenario = {
  title:
    "tshark finds every datagram of both directions in the capture, byte for byte, with the kernel's times",
  run: async (context) => {
    const { mesh, folder, socket } = await startCapture(context, {});
    const sent: { readonly payload: string; readonly ns: bigint }[] = [];
    let returned = 0;
    socket.on("message", () => returned++);
    for (let i = 0; i < DATAGRAMS; i++) {
      const payload = Buffer.alloc(4 + ((i * 13) % (LARGE_BYTES - 4)), i & 255);
      payload.writeUInt32BE(i);
      sent.push({ payload: payload.toString("hex"), ns: wallNs() });
      socket.send(payload);
      await until("it came back", () => returned === i + 1);
    }
    await written(mesh, 2 * DATAGRAMS);
    const lastNs = wallNs();
    await mesh.proxy.stop();
    const [file, ...others] = await captures(folder);
    assert.deepEqual(others, [], "one file is enough");
    const packets = await readPackets(path.join(folder, file ?? ""));
    const clientPort = socket.address().port;
    const requests = packets.filter(({ sourcePort }) => sourcePort === clientPort);
    const answers = packets.filter(({ destinationPort }) => destinationPort === clientPort);
    assert.deepEqual(
      requests.map(({ payload }) => payload),
      sent.map(({ payload }) => payload),
    );
    // The endpoint writes its number into the first byte.
    assert.deepEqual(
      answers.map(({ payload }) => payload),
      sent.map(({ payload }) => `01${payload.slice(2)}`),
    );
    for (const [i, { ns, payload, bytes }] of requests.entries()) {
      const earliest = sent[i]!.ns;
      const next = sent[i + 1]?.ns ?? lastNs;
      // Each was awaited, so that it came before the next was sent; the slack is for clocks that are set meanwhile.
      assert.ok(
        ns > earliest - SLACK_NS && ns < next + SLACK_NS,
        `packet ${i} has time ${ns}, sent ${earliest}`,
      );
      assert.equal(bytes, payload.length / 2 + HEADER_BYTES);
    }
    const lateUs = requests.map(({ ns }, i) => Number(ns - sent[i]!.ns) / 1_000).sort((a, b) => a - b);
    context.note(
      `${packets.length} packets; median ${Math.round(lateUs[DATAGRAMS >> 1]!)} µs from send to capture`,
    );
  },
};

/** A proxy that captures for long keeps the last files alone, each of them whole. */
export const rotation: Scenario = {
  title: "a long capture rotates: eight files of at most 16 MiB, the last ones, each whole for tshark",
  run: async (context) => {
    const { mesh, folder, socket } = await startCapture(context, {});
    await flood(socket);
    await written(mesh, 1.9 * ROTATION_DATAGRAMS);
    await mesh.proxy.stop();
    const files = await captures(folder);
    assert.equal(files.length, FILES, files.join(" "));
    const numbers = files.map(numberOf).sort((a, b) => a - b);
    assert.ok(numbers[0]! > 1, "the first is gone");
    assert.equal(
      numbers.at(-1)! - numbers[0]!,
      FILES - 1,
      `their numbers follow each other: ${numbers.join(" ")}`,
    );
    let packets = 0;
    for (const file of files) {
      const { size } = await stat(path.join(folder, file));
      assert.ok(size <= FILE_BYTES, `${file} has ${size} bytes`);
      packets += await countPackets(path.join(folder, file));
    }
    const lost = await metric(mesh, "capture_lost_total").catch(() => 0);
    context.note(
      `${packets} packets in ${files.length} files, numbers ${numbers[0]} to ${numbers.at(-1)}; ${lost} lost`,
    );
    assert.ok(packets > ((FILES - 1) * FILE_BYTES) / (LARGE_BYTES + 100), `${packets} packets`);
  },
};

interface Capturing {
  readonly mesh: Mesh;
  readonly folder: string;
  readonly socket: Socket;
}

async function startCapture(context: ScenarioContext, config: object): Promise<Capturing> {
  const endpoint = await EchoEndpoint.start(ADDRESS, 1);
  context.defer(() => endpoint.close());
  const [port] = (await freeUdpPorts(1, ADDRESS)) as [number];
  const targetRefs = [{ group: "gateway.networking.k8s.io", kind: "Gateway", name: "edge" }];
  const filter = {
    apiVersion: "mediastreamingmesh.io/v1alpha1",
    kind: "WasmFilter",
    metadata: { name: "capture" },
    spec: { targetRefs, builtin: "capture", config },
  };
  const listeners = [{ name: "echo", port, endpoints: [endpoint] }];
  const folder = path.join(context.folder, "captures");
  const mesh = await context.startMesh({
    config: { yaml: meshYaml({ address: ADDRESS, listeners, more: [filter] }) },
    ports: [port],
    concurrency: 1,
    proxyArgs: ["--capture-folder", folder],
  });
  const socket = createSocket("udp4");
  context.defer(() => socket.close());
  socket.connect(port, ADDRESS);
  await once(socket, "connect");
  return { mesh, folder, socket };
}

/** Sends large datagrams, a window ahead of what comes back. What is lost on the way is not waited for. */
async function flood(socket: Socket): Promise<void> {
  let returned = 0;
  socket.on("message", () => returned++);
  const payload = Buffer.alloc(LARGE_BYTES);
  for (let sent = 0; sent < ROTATION_DATAGRAMS; ) {
    for (let i = 0; i < WINDOW; i++) socket.send(payload);
    sent += WINDOW;
    const deadlineMs = performance.now() + LOST_MS;
    while (returned < sent - WINDOW && performance.now() < deadlineMs) await immediate();
  }
}

async function written(mesh: Mesh, count: number): Promise<void> {
  await until(
    `${Math.round(count)} datagrams were captured`,
    async () => (await metric(mesh, "capture_written_total")) >= count,
  );
}

async function metric(mesh: Mesh, name: string): Promise<number> {
  const lines = (await mesh.admin.text("/stats/prometheus")).matchAll(
    new RegExp(`^(?:envoy_)?${name}\\{[^}]*\\} (\\d+)$`, "gm"),
  );
  return [...lines].reduce((sum, [, value]) => sum + Number(value), 0);
}

async function captures(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith(".capture.pcapng"));
}

/** `<listener>.<worker>.<number>.capture.pcapng` */
function numberOf(file: string): number {
  return Number(file.split(".").at(-3));
}

function wallNs(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1_000)) * 1_000n;
}
