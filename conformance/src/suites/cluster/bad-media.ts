// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { freeUdpPorts, until } from "@msm/deploy";
import { meshYaml } from "../../mesh-yaml.ts";
import type { Scenario, ScenarioContext } from "../../runner/suite.ts";
import { BeatingClients } from "./beating-clients.ts";

const CLIENTS = 4;
const BEAT_MS = 5;
const LOSSY = 1;
const GOOD = 2;
/** Behind the RTP header. */
const NUMBER_AT = 12;
/** One packet of so many is missing in what the bad endpoint sends. */
const MISSING = 5;

/** An endpoint answers, but what it sends arrives with holes. */
export const badMedia: Scenario = {
  title:
    "an endpoint whose RTP loses a fifth on the way is taken out, and its sessions go where media are well",
  run: async (context) => {
    const endpoints = [await startSender(context, LOSSY), await startSender(context, GOOD)];
    const [port] = (await freeUdpPorts(1)) as [number];
    const outlierDetection = { maxLoss: 5, maxEjectionPercent: 50, ejectionTime: "60s" };
    const yaml = meshYaml({
      address: "127.0.0.1",
      listeners: [
        {
          ...{ name: "video", port, endpoints, isRtp: true },
          policy: { outlierDetection },
        },
      ],
    });
    const mesh = await context.startMesh({ config: { yaml }, ports: [port], concurrency: 1 });
    const clients = await BeatingClients.start(CLIENTS, port, BEAT_MS, NUMBER_AT);
    context.defer(() => clients.close());
    await until(
      "both endpoints had clients",
      () => clients.servedBy(LOSSY) > 0 && clients.servedBy(GOOD) > 0,
    );
    const startMs = performance.now();
    await until("every client is at the good one", () => clients.servedBy(GOOD) === CLIENTS, 30_000);
    context.note(
      `every session moved ${((performance.now() - startMs) / 1000).toFixed(1)} s after the first loss`,
    );
    await until("the reason is a metric", async () =>
      /msm_cluster_ejections_total\{.*reason="loss".*\} 1\n/.test(await mesh.admin.text("/stats/prometheus")),
    );
  },
};

/** Sends an RTP packet for each datagram that it gets, with its own number where the clients look for it. */
async function startSender(context: ScenarioContext, number: number) {
  const socket = createSocket("udp4");
  const sequences = new Map<number, number>();
  socket.on("message", (_, from) => {
    const sequence = (sequences.get(from.port) ?? 0) + 1;
    sequences.set(from.port, sequence);
    if (number === LOSSY && sequence % MISSING === 0) return;
    const packet = Buffer.alloc(40);
    // RFC 3550 section 5.1: version 2, dynamic payload type 96.
    packet.writeUInt16BE(0x8060, 0);
    packet.writeUInt16BE(sequence & 0xffff, 2);
    packet.writeUInt32BE(sequence * 450, 4);
    packet.writeUInt32BE(from.port, 8);
    packet[NUMBER_AT] = number;
    socket.send(packet, from.port, from.address, () => undefined);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  context.defer(() => socket.close());
  return { address: "127.0.0.1", port: socket.address().port };
}
