// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { FlowEvent_Kind } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { afterEach, expect, test, vi } from "vitest";
import { FlowBed, legOf, PATIENCE, type Peer, readRtp, rtp } from "./testing/flow-bed.ts";

const LOCAL = { ip: "127.0.0.1" };
const WORKERS = 3;
const AT_HOME = 2;

let bed: FlowBed | undefined;
afterEach(async () => {
  const last = bed;
  bed = undefined;
  await last?.stop();
});

function startBed(): Promise<FlowBed> {
  return FlowBed.start("mmsg", { concurrency: WORKERS, receiversAtHome: AT_HOME });
}

function source({ port }: Peer) {
  return { id: "in", enabled: true, udp: { local: LOCAL, rtcp: "MUX", remote: { ...LOCAL, port } } };
}

function receiver(id: string, { port }: Peer, udp: object = {}) {
  return { id, enabled: true, udp: { local: LOCAL, rtcp: "MUX", remote: { ...LOCAL, port }, ...udp } };
}

/** A port that nobody has. */
async function freePort(): Promise<number> {
  const socket = createSocket("udp4");
  socket.bind(0, LOCAL.ip);
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}

/** By worker: the receivers that it serves. */
function servedBy(id: string): readonly (readonly string[])[] {
  const { legs } = bed!.pool.flowService.flows().find((flow) => flow.id === id)!;
  const byWorker: string[][] = Array.from({ length: WORKERS }, () => []);
  for (const leg of legs) if (leg.role === "receiver") byWorker[leg.worker]!.push(leg.id);
  return byWorker;
}

test("receivers beyond the first few are spread over the workers, and each is counted where it is", async () => {
  bed = await startBed();
  const camera = await bed.peer();
  const viewers = await Promise.all(Array.from({ length: 8 }, () => bed!.peer()));
  const flow = { id: "lobby", sources: [source(camera)] };
  const receivers = viewers.map((viewer, i) => receiver(`v${i}`, viewer));
  const opened = await bed.put({ ...flow, receivers });
  expect(servedBy("lobby").map(({ length }) => length)).toEqual([AT_HOME, 3, 3]);
  const { port } = legOf(opened, "in").local!;
  const sent = Array.from({ length: 200 }, (_, seq) => `p${seq}`);
  for (const [seq, payload] of sent.entries()) camera.send(rtp({ seq, payload }), port);
  for (const [i, { received }] of viewers.entries()) {
    await vi.waitFor(() => expect(received).toHaveLength(sent.length), PATIENCE);
    expect(received.map(({ data }) => readRtp(data).payload)).toEqual(sent);
    expect(new Set(received.map(({ from }) => from.port))).toEqual(
      new Set([legOf(opened, `v${i}`).local!.port]),
    );
  }
  const { legs } = bed.pool.flowService.flows()[0]!;
  for (const { role, sentDatagrams } of legs) expect(sentDatagrams).toBe(role === "source" ? 0 : sent.length);

  // Those that stay are served by whom they were, and workers that serve none let go of the flow.
  await bed.put({ ...flow, receivers: receivers.filter((_, i) => i % 3 === 0) });
  const left = servedBy("lobby").flat().sort();
  expect(left).toEqual(["v0", "v3", "v6"]);
  for (const { received } of viewers) received.length = 0;
  camera.send(rtp({ seq: 200, payload: "p200" }), port);
  for (const i of [0, 3, 6]) await vi.waitFor(() => expect(viewers[i]!.received).toHaveLength(1), PATIENCE);
  expect(viewers[1]!.received).toEqual([]);
});

test("a receiver whose far end has to be learnt is heard at whichever worker serves it", async () => {
  bed = await startBed();
  const [camera, viewer] = [await bed.peer(), await bed.peer()];
  const fillers = Array.from({ length: AT_HOME }, (_, i) => receiver(`f${i}`, camera));
  const latched = {
    id: "late",
    enabled: true,
    udp: { local: LOCAL, rtcp: "MUX", latch: "LATCH_ONCE", latchFrom: LOCAL.ip },
  };
  const opened = await bed.put({ id: "lobby", sources: [source(camera)], receivers: [...fillers, latched] });
  const home = bed.pool.flowService.flows()[0]!.worker;
  expect(servedBy("lobby")[home]).not.toContain("late");
  // A receiver report without a block, as whoever opens a NAT sends it.
  viewer.send(Buffer.from("80c9000100000001", "hex"), legOf(opened, "late").local!.port);
  await vi.waitFor(() => {
    const [heard] = bed!.events(FlowEvent_Kind.FIRST_PACKET);
    expect(heard?.legs).toMatchObject([{ id: "late", remote: { port: viewer.port } }]);
  }, PATIENCE);
  camera.send(rtp({ seq: 1, payload: "hello" }), legOf(opened, "in").local!.port);
  await vi.waitFor(() => expect(viewer.received).toHaveLength(1), PATIENCE);
});

test("what flows take at other workers is given back when they end", async () => {
  bed = await startBed();
  const camera = await bed.peer();
  const receivers = Array.from({ length: 6 }, (_, i) => receiver(`v${i}`, camera));
  for (let i = 0; i < 20; i++) {
    await bed.put({ id: "lobby", sources: [source(camera)], receivers });
    await bed.close("lobby");
  }
  // Had records stayed behind at a worker, it would count as loaded, and the receivers not be spread evenly.
  await bed.put({ id: "lobby", sources: [source(camera)], receivers });
  expect(servedBy("lobby").map(({ length }) => length)).toEqual([AT_HOME, 2, 2]);
});

test("ports that the owner chose are all at the flow's own worker", async () => {
  bed = await startBed();
  const camera = await bed.peer();
  const local = { ...LOCAL, port: await freePort() };
  const receivers = Array.from({ length: 5 }, (_, i) => receiver(`v${i}`, camera, { local }));
  await bed.put({ id: "lobby", sources: [source(camera)], receivers });
  expect(servedBy("lobby")[bed.pool.flowService.flows()[0]!.worker]).toHaveLength(5);
});
