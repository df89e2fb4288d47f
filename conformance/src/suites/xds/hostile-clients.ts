// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { until } from "@msm/deploy";
import { create, toBinary, typeUrls } from "@msm/xds-protos";
import { DeltaDiscoveryRequestSchema } from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import type { Scenario } from "../../runner/suite.ts";
import { readResponseHead } from "../../traffic/response-head.ts";
import type { ServerUnderLoad } from "../../traffic/server-under-load.ts";
import { XdsStream } from "../../traffic/xds-stream.ts";
import type { XdsSwarm } from "../../traffic/xds-swarm.ts";
import { connectSwarm, SWARM, startServer } from "./swarm-site.ts";

const HOSTILE = 200;
/** Without a bound these would leave 200 times 20 responses of 30 kB unsent: 120 MB. */
const CHANGES_UNREAD = 20;
const CHANGES = 3;
/** What the server may take up more, whatever clients do: the allocator's own ups and downs are a third of it. */
const MEMORY_LIMIT_BYTES = 48 * 1024 * 1024;

/** Clients that break the rules beside many that keep them: the server's memory is bounded, the others are served. */
export const hostileClients: Scenario = {
  title: `${SWARM} clients are served beside such as never read, refuse everything, vanish in mid-message, send garbage or want 10,000 names`,
  timeoutMs: 120_000,
  run: async (context) => {
    const server = await startServer(context);
    const { swarm } = await connectSwarm(context, { port: server.port });
    // What it takes to serve the good ones is there from now on.
    for (let change = 0; change < 3; change++) await server.change(SWARM);
    const before = await server.memoryBytes();
    const site = { server, swarm };
    for (const [what, misbehave, changes] of misbehaviours) {
      const close = await misbehave(server.port, () => serveOthers(site, 1));
      const slowestMs = await serveOthers(site, changes);
      const grown = (await server.memoryBytes()) - before;
      close();
      const megabytes = (grown / 1024 / 1024).toFixed(0);
      context.note(
        `${what}: others had each change within ${Math.round(slowestMs)} ms, memory ${megabytes} MB more`,
      );
      assert.ok(grown < MEMORY_LIMIT_BYTES, `${what}: the server took up ${megabytes} MB more`);
    }
    assert.deepEqual(swarm.errors, []);
  },
};

interface Site {
  readonly server: ServerUnderLoad;
  readonly swarm: XdsSwarm;
}

/** Makes changes that every client of the swarm has to take; returns the longest that one took. */
async function serveOthers({ server, swarm }: Site, changes: number): Promise<number> {
  let slowestMs = 0;
  for (let change = 0; change < changes; change++) {
    swarm.mark();
    const startedMs = performance.now();
    await server.change(SWARM);
    await swarm.arrived();
    slowestMs = Math.max(slowestMs, performance.now() - startedMs);
  }
  return slowestMs;
}

/** Does wrong; returns how to end what is still there. `change` lets something be pushed meanwhile. */
type Misbehave = (port: number, change: () => Promise<unknown>) => Promise<() => void>;

/** What they do, and how many changes the others have to take meanwhile. */
const misbehaviours: readonly (readonly [string, Misbehave, number])[] = [
  ["never reads", neverRead, CHANGES_UNREAD],
  ["refuses everything", refuseEverything, CHANGES],
  ["vanishes in mid-message", vanish, CHANGES],
  ["sends garbage", sendGarbage, CHANGES],
  ["wants 10,000 names", wantMany, CHANGES],
];

async function neverRead(port: number, change: () => Promise<unknown>): Promise<() => void> {
  const streams = await open(port, (stream) => stream.pause());
  for (const stream of streams) stream.send(subscribe(["cluster-0"]));
  await change();
  return () => closeAll(streams);
}

async function refuseEverything(port: number, change: () => Promise<unknown>): Promise<() => void> {
  let refusals = 0;
  const streams = await open(port, undefined, (stream, message) => {
    const { nonce } = readResponseHead(message);
    refusals++;
    stream.send(request({ responseNonce: nonce, errorDetail: { code: 3, message: "x".repeat(1000) } }));
  });
  for (const stream of streams) stream.send(subscribe(["cluster-0"]));
  await until("everybody had refused something", () => refusals >= HOSTILE, 30_000);
  await change();
  return () => closeAll(streams);
}

async function vanish(port: number): Promise<() => void> {
  const head = Buffer.from([0, 0, 0, 0x10, 0]);
  for (let round = 0; round < 3; round++) {
    const streams = await open(port);
    for (const stream of streams) stream.sendRaw(Buffer.concat([head, subscribe(["cluster-0"])]));
    await new Promise((resolve) => setImmediate(resolve));
    closeAll(streams);
  }
  return () => {};
}

async function sendGarbage(port: number): Promise<() => void> {
  const endings: string[] = [];
  const streams = await open(port, undefined, undefined, (reason) => endings.push(reason));
  for (const stream of streams) stream.send(Buffer.from([0xff, 0xff, 0xff, 0x07, 0x01]));
  await until("every stream with garbage was ended", () => endings.length === HOSTILE, 30_000);
  const others = endings.filter((reason) => !reason.startsWith("status 13"));
  assert.deepEqual(others, [], "garbage is answered with INTERNAL");
  return () => {};
}

async function wantMany(port: number): Promise<() => void> {
  let answers = 0;
  const streams = await open(port, undefined, () => answers++);
  const names = Array.from({ length: 10_000 }, (_, index) => `nobody-has-${index}`);
  const few = streams.slice(0, 10);
  for (const stream of few) stream.send(subscribe(names));
  await until("each was told that there are none", () => answers >= few.length, 30_000);
  return () => closeAll(streams);
}

/** Opens streams; resolves when all are connected. */
async function open(
  port: number,
  prepare: (stream: XdsStream) => void = () => {},
  onMessage: (stream: XdsStream, message: Buffer) => void = () => {},
  onEnd: (reason: string) => void = () => {},
): Promise<readonly XdsStream[]> {
  const streams = Array.from({ length: HOSTILE }, () => {
    const stream = new XdsStream({
      ...{ port, variant: "delta", onMessage },
      onEnd: (_stream, reason) => onEnd(reason),
    });
    prepare(stream);
    return stream;
  });
  await until("all were connected", () => streams.every(({ session }) => !session.connecting), 30_000);
  return streams;
}

function closeAll(streams: readonly XdsStream[]): void {
  for (const stream of streams) stream.cut();
}

function subscribe(names: readonly string[]): Uint8Array {
  return request({ node: { id: "hostile", cluster: "swarm" }, resourceNamesSubscribe: [...names] });
}

function request(fields: object): Uint8Array {
  const typeUrl = typeUrls.clusterLoadAssignment;
  return toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, { typeUrl, ...fields }));
}
