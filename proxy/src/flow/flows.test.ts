// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { fromJson } from "@msm/xds-protos";
import { FlowEvent_Kind, FlowSchema } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { afterEach, describe, expect, test, vi } from "vitest";
import { backendNames } from "../io/load-backend.ts";
import { FlowBed, legOf, PATIENCE, type Peer, readRtp, rtp } from "./testing/flow-bed.ts";

let bed: FlowBed | undefined;
afterEach(async () => {
  const last = bed;
  bed = undefined;
  await last?.stop();
});

const LOCAL = { ip: "127.0.0.1" };

function source(id: string, peer: Peer, more: object = {}) {
  return { id, enabled: true, udp: { local: LOCAL, remote: { ip: peer.address, port: peer.port }, ...more } };
}

function receiver(id: string, peer: Peer, leg: object = {}, udp: object = {}) {
  const local = { ip: peer.address };
  const remote = { ip: peer.address, port: peer.port };
  return { id, enabled: true, udp: { local, remote, ...udp }, ...leg };
}

function payloads({ received }: Peer): readonly string[] {
  return received.map(({ data }) => readRtp(data).payload);
}

describe.each(await backendNames())("flows on %s", (io) => {
  test("copy what the source sends to every receiver that is enabled, IPv6 among them", async () => {
    bed = await FlowBed.start(io);
    const [camera, first, second, third] = [
      await bed.peer(),
      await bed.peer(),
      await bed.peer("::1"),
      await bed.peer(),
    ];
    const flow = {
      id: "lobby",
      sources: [source("in", camera)],
      receivers: [receiver("a", first), receiver("b", second), receiver("c", third, { enabled: false })],
    };
    const opened = await bed.put(flow);
    const { port } = legOf(opened, "in").local!;
    expect(port % 2).toBe(0);
    expect(legOf(opened, "in").localRtcp).toMatchObject({ port: port + 1 });

    for (let seq = 0; seq < 100; seq++) camera.send(rtp({ seq, payload: `p${seq}` }), port);

    const sent = Array.from({ length: 100 }, (_, seq) => `p${seq}`);
    await vi.waitFor(() => expect([payloads(first), payloads(second)]).toEqual([sent, sent]), PATIENCE);
    expect(third.received).toEqual([]);
    expect(bed.events(FlowEvent_Kind.FIRST_PACKET)).toHaveLength(1);

    await bed.put({ ...flow, receivers: [receiver("b", second), receiver("c", third)] });
    camera.send(rtp({ seq: 100, payload: "p100" }), port);
    await vi.waitFor(() => expect(payloads(third)).toEqual(["p100"]), PATIENCE);
    await vi.waitFor(() => expect(payloads(second)).toHaveLength(101), PATIENCE);
    expect(payloads(first)).toHaveLength(100);
    const legs = bed.pool.flowService.flows()[0]!.legs;
    expect(legs.map(({ id, sentDatagrams }) => [id, sentDatagrams])).toEqual([
      ["in", 0],
      ["b", 101],
      ["c", 1],
    ]);
  });

  test("keep their ports as long as they are put, and give them back when they are closed", async () => {
    bed = await FlowBed.start(io, { mediaPorts: { first: 21_000, last: 21_003 } });
    const [camera, viewer] = [await bed.peer(), await bed.peer()];
    const flow = { id: "lobby", sources: [source("in", camera)], receivers: [receiver("a", viewer)] };
    const ports = legsPorts(await bed.put(flow));
    expect([...ports].sort()).toEqual([21_000, 21_002]);
    // Only legs that changed are told of; these kept their ports, as the camera finds out.
    expect((await bed.put({ ...flow, stream: "renamed" })).legs).toEqual([]);
    camera.send(rtp({ seq: 1, payload: "kept" }), ports[0]!);
    await vi.waitFor(() => expect(payloads(viewer)).toEqual(["kept"]), PATIENCE);

    const refused = await bed.put({ ...flow, id: "second" });
    expect(refused).toMatchObject({ kind: FlowEvent_Kind.FAILED, code: "MSM_FLOW_PORTS" });
    expect(refused.message).toContain("sources[0].udp.local");
    expect(sample("msm_flow_refused_total")).toBe(1);

    await bed.close("lobby");
    expect([...legsPorts(await bed.put({ ...flow, id: "second" }))].sort()).toEqual([21_000, 21_002]);
  });

  test("are refused and counted at an address that this host does not have, or a port that is taken", async () => {
    bed = await FlowBed.start(io);
    const [camera, viewer] = [await bed.peer(), await bed.peer()];
    const at = (local: { readonly ip: string; readonly port?: number }) => ({
      id: "lobby",
      sources: [source("in", camera)],
      receivers: [receiver("a", viewer, {}, { local, rtcp: "MUX" })],
    });
    // TEST-NET-1 of RFC 5737 is nobody's address.
    const nowhere = await bed.put(at({ ip: "192.0.2.1" }));
    expect(nowhere).toMatchObject({ kind: FlowEvent_Kind.FAILED, code: "MSM_FLOW_ADDRESS" });
    expect(nowhere.message).toMatch(/receivers\[0\]\.udp\.local: .*EADDRNOTAVAIL; this host does not have/);
    const taken = await bed.put(at({ ip: camera.address, port: camera.port }));
    expect(taken).toMatchObject({ kind: FlowEvent_Kind.FAILED, code: "MSM_FLOW_ADDRESS" });
    expect(taken.message).toMatch(/receivers\[0\]\.udp\.local: .*EADDRINUSE; stop the other program/);
    expect(sample("msm_flow_refused_total")).toBe(2);
  });

  test("run on the same ports with the same sequence numbers after their worker died", async () => {
    bed = await FlowBed.start(io);
    const [camera, viewer] = [await bed.peer(), await bed.peer()];
    const rewrite = { ssrc: 7, continuous: true };
    const opened = await bed.put({
      id: "lobby",
      sources: [source("in", camera)],
      receivers: [receiver("a", viewer, { rewrite })],
    });
    const { port } = legOf(opened, "in").local!;
    for (let seq = 500; seq < 510; seq++) camera.send(rtp({ seq }), port);
    await vi.waitFor(() => expect(viewer.received).toHaveLength(10), PATIENCE);

    bed.pool.fail(0, "throw");
    await vi.waitFor(() => expect(sample("msm_worker_restarts_total")).toBe(1), PATIENCE);
    // The sender does not know: it goes on, and what comes while nobody listens may be lost.
    let seq = 510;
    await vi.waitFor(() => {
      camera.send(rtp({ seq: seq++ }), port);
      expect(viewer.received.length).toBeGreaterThan(20);
    }, PATIENCE);
    for (const { data } of viewer.received) expect(readRtp(data).ssrc).toBe(7);
    const last = readRtp(viewer.received.at(-1)!.data).seq;
    expect(last).toBeLessThan(seq);
    expect(viewer.received[0]!.from.port).toBe(viewer.received.at(-1)!.from.port);
  });

  test("spread over the workers, also when they are opened at the same time", async (context) => {
    bed = await FlowBed.start(io, { concurrency: 2 });
    const { pool, notices } = bed;
    // A backend that cannot share ports among threads has one worker.
    if (pool.concurrency < 2) context.skip();
    const latched = { id: "in", enabled: true, udp: { local: LOCAL, rtcp: "NONE", latch: "LATCH_ONCE" } };
    for (const id of ["a", "b", "c", "d"]) {
      pool.flowService.put("test", fromJson(FlowSchema, { id, sources: [latched] }));
    }
    await vi.waitFor(() => expect(notices).toHaveLength(4), PATIENCE);
    expect(notices.map(({ worker }) => worker).sort()).toEqual([0, 0, 1, 1]);
  });

  test("follow a latched source to where it speaks from, and nobody else", async () => {
    bed = await FlowBed.start(io);
    const [camera, stranger, viewer] = [await bed.peer(), await bed.peer(), await bed.peer()];
    const udp = { local: LOCAL, latch: "LATCH_ONCE", latchFrom: "127.0.0.1" };
    const opened = await bed.put({
      id: "lobby",
      sources: [{ id: "in", enabled: true, udp }],
      receivers: [receiver("a", viewer)],
    });
    const { port } = legOf(opened, "in").local!;
    camera.send(rtp({ seq: 1, payload: "first" }), port);
    await vi.waitFor(() => expect(payloads(viewer)).toEqual(["first"]), PATIENCE);
    const [learnt] = bed.events(FlowEvent_Kind.FIRST_PACKET);
    expect(legOf(learnt!, "in").remote).toMatchObject({ port: camera.port });
    expect(legOf(learnt!, "in").remoteRtcp).toMatchObject({ port: camera.port + 1 });

    for (let seq = 2; seq < 12; seq++) stranger.send(rtp({ seq, payload: "hijack" }), port);
    await vi.waitFor(
      () => expect(bed!.pool.flowService.flows()[0]!.legs[0]!.dropped).toEqual({ stranger: 10 }),
      PATIENCE,
    );
    camera.send(rtp({ seq: 2, payload: "second" }), port);
    await vi.waitFor(() => expect(payloads(viewer)).toEqual(["first", "second"]), PATIENCE);
  });

  test("switch from one source to another without a gap for the receiver", async () => {
    bed = await FlowBed.start(io);
    const [one, two, viewer] = [await bed.peer(), await bed.peer(), await bed.peer()];
    const rewrite = { ssrc: 99, continuous: true, payloadTypes: { 97: 96 } };
    const flow = {
      id: "news",
      sources: [source("one", one), source("two", two)],
      receivers: [receiver("a", viewer, { rewrite })],
    };
    const opened = await bed.put({ ...flow, activeSource: "one" });
    const ports = ["one", "two"].map((id) => legOf(opened, id).local!.port);
    const say = (peer: Peer, i: number, seq: number, payloadType: number): void =>
      peer.send(rtp({ seq, ssrc: 1000 + i, payloadType, payload: `${i}:${seq}` }), ports[i]!);
    for (let i = 0; i < 5; i++) say(one, 0, 65_533 + i, 96);
    say(two, 1, 40, 97);
    await vi.waitFor(() => expect(viewer.received).toHaveLength(5), PATIENCE);
    await bed.put({ ...flow, activeSource: "two" });
    say(one, 0, 2, 96);
    for (let i = 0; i < 5; i++) say(two, 1, 41 + i, 97);
    await vi.waitFor(() => expect(viewer.received).toHaveLength(10), PATIENCE);

    const seen = viewer.received.map(({ data }) => readRtp(data));
    expect(seen.map(({ seq }) => seq)).toEqual([65_533, 65_534, 65_535, 0, 1, 2, 3, 4, 5, 6]);
    expect(new Set(seen.map(({ ssrc, payloadType }) => `${ssrc} ${payloadType}`))).toEqual(
      new Set(["99 96"]),
    );
    expect(seen.slice(5).map(({ payload }) => payload)).toEqual(["1:41", "1:42", "1:43", "1:44", "1:45"]);
  });
});

function legsPorts(event: Parameters<typeof legOf>[0]): readonly number[] {
  return event.legs.map(({ local }) => local!.port);
}

function sample(name: string): unknown {
  return bed!.pool.samples().find((each) => each.name === name)?.value;
}
