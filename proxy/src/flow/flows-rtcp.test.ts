// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { MessageChannel } from "node:worker_threads";
import { FlowEvent_Kind } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { afterEach, describe, expect, test, vi } from "vitest";
import { BuiltinFilters, installedFilters } from "../config/builtin-filters.ts";
import { FilterLoader } from "../config/filter-loader.ts";
import { backendNames } from "../io/load-backend.ts";
import { realParts } from "../real-parts.ts";
import { InterleavedLinks } from "./interleaved-links.ts";
import { OWN_HEADER_BYTES } from "./interleaved-ring.ts";
import { RtcpCursor, RtcpType } from "./rtcp/rtcp-cursor.ts";
import { FlowBed, legOf, PATIENCE, type Peer, readRtp, rtp } from "./testing/flow-bed.ts";

let bed: FlowBed | undefined;
afterEach(async () => {
  const last = bed;
  bed = undefined;
  await last?.stop();
});

const LOCAL = { ip: "127.0.0.1" };

/** A leg on one port for RTP and RTCP, so that tests need one socket for each peer. */
function mux(id: string, { port }: Peer, leg: object = {}) {
  return { id, enabled: true, udp: { local: LOCAL, remote: { ip: "127.0.0.1", port }, rtcp: "MUX" }, ...leg };
}

/** A sender report of SSRC `ssrc` with an RTP timestamp, and a name. */
function senderReport(ssrc: number, timestamp: number): Buffer {
  const packet = Buffer.alloc(28);
  packet.writeUInt32BE(0x80c80006, 0);
  packet.writeUInt32BE(ssrc, 4);
  packet.writeUInt32BE(0xe000_0001, 8);
  packet.writeUInt32BE(0x8000_0000, 12);
  packet.writeUInt32BE(timestamp, 16);
  packet.writeUInt32BE(1_000, 20);
  packet.writeUInt32BE(50_000, 24);
  return packet;
}

/** A receiver report about `ssrc` with a fraction lost. */
function receiverReport(ssrc: number, fractionLost: number, highest: number): Buffer {
  const packet = Buffer.alloc(32);
  packet.writeUInt32BE(0x81c90007, 0);
  packet.writeUInt32BE(0xaaaa, 4);
  packet.writeUInt32BE(ssrc, 8);
  packet.writeUInt32BE((fractionLost << 24) >>> 0, 12);
  packet.writeUInt32BE(highest, 16);
  return packet;
}

/** A picture loss indication (FMT 1 of 206), or a NACK (FMT 1 of 205) for one packet. */
function feedback(type: number, ssrc: number, lost?: number): Buffer {
  const packet = Buffer.alloc(lost === undefined ? 12 : 16);
  packet.writeUInt16BE(0x8100 | type, 0);
  packet.writeUInt16BE(packet.length / 4 - 1, 2);
  packet.writeUInt32BE(0xaaaa, 4);
  packet.writeUInt32BE(ssrc, 8);
  if (lost !== undefined) packet.writeUInt16BE(lost, 12);
  return packet;
}

/** A full intra request (FMT 4 of 206), which names the stream in its entry (RFC 5104 section 4.3.1). */
function fullIntraRequest(ssrc: number): Buffer {
  const packet = Buffer.alloc(20);
  packet.writeUInt32BE(0x84ce0004, 0);
  packet.writeUInt32BE(0xaaaa, 4);
  packet.writeUInt32BE(ssrc, 12);
  return packet;
}

/** The packets of every compound that came, as `type: bytes`. */
function controlPackets({ received }: Peer): readonly { readonly type: number; readonly data: Buffer }[] {
  return received.flatMap(({ data }) => {
    const cursor = new RtcpCursor();
    const found: { type: number; data: Buffer }[] = [];
    if (data[1]! < 192 || data[1]! > 223 || !cursor.reset(data, 0, data.length)) return [];
    while (cursor.next())
      found.push({ type: cursor.type, data: data.subarray(cursor.start, cursor.start + cursor.length) });
    return found;
  });
}

function ofType(peer: Peer, type: number): readonly Buffer[] {
  return controlPackets(peer)
    .filter((packet) => packet.type === type)
    .map(({ data }) => data);
}

/** Backends with one worker, and three workers of which others than the flow's serve receivers, too. */
const beds: readonly [string, string, object][] = [
  ...(await backendNames()).map((io) => [io, io, {}] as [string, string, object]),
  ["several workers", "mmsg", { concurrency: 3, receiversAtHome: 1 }],
];

describe.each(beds)("RTCP of flows on %s", (_, io, options) => {
  test("goes down to each receiver in the receiver's terms", async () => {
    bed = await FlowBed.start(io, options);
    const [camera, plain, moved] = [await bed.peer(), await bed.peer(), await bed.peer()];
    const opened = await bed.put({
      id: "lobby",
      sources: [mux("in", camera)],
      receivers: [mux("a", plain), mux("b", moved, { rewrite: { ssrc: 0x77, continuous: true } })],
    });
    const { port } = legOf(opened, "in").local!;
    for (let seq = 0; seq < 3; seq++)
      camera.send(rtp({ seq, ssrc: 5, timestamp: 900, payload: "12345678" }), port);
    await vi.waitFor(() => expect(moved.received).toHaveLength(3), PATIENCE);
    camera.send(senderReport(5, 1_000), port);

    await vi.waitFor(() => expect(ofType(moved, RtcpType.SR)).toHaveLength(1), PATIENCE);
    await vi.waitFor(() => expect(ofType(plain, RtcpType.SR)).toEqual([senderReport(5, 1_000)]), PATIENCE);
    const [report] = ofType(moved, RtcpType.SR);
    expect(report!.readUInt32BE(4)).toBe(0x77);
    expect([16, 20, 24].map((at) => report!.readUInt32BE(at))).toEqual([1_000, 3, 24]);
    expect(report!.subarray(8, 16)).toEqual(senderReport(5, 0).subarray(8, 16));

    camera.send(Buffer.concat([senderReport(5, 2_000), Buffer.from("81cb000100000005", "hex")]), port);
    await vi.waitFor(() => expect(ofType(moved, RtcpType.BYE)).toHaveLength(1), PATIENCE);
    expect(ofType(moved, RtcpType.BYE)[0]!.readUInt32BE(4)).toBe(0x77);
  });

  test("goes up once for all receivers: the worst report, one request for a picture, each lost packet once", async () => {
    bed = await FlowBed.start(io, options);
    const [camera, ...viewers] = [await bed.peer(), await bed.peer(), await bed.peer(), await bed.peer()];
    const rewrite = { ssrc: 0x77, continuous: true };
    const opened = await bed.put({
      id: "lobby",
      sources: [mux("in", camera)],
      receivers: viewers.map((viewer, i) => mux(`v${i}`, viewer, { rewrite })),
    });
    const { port } = legOf(opened, "in").local!;
    for (let seq = 100; seq < 110; seq++) camera.send(rtp({ seq, ssrc: 5 }), port);
    for (const viewer of viewers) await vi.waitFor(() => expect(viewer.received).toHaveLength(10), PATIENCE);
    for (const [i, viewer] of viewers.entries()) {
      const up = legOf(opened, `v${i}`).local!.port;
      viewer.send(receiverReport(0x77, 10 * i, 109), up);
      viewer.send(i === 1 ? fullIntraRequest(0x77) : feedback(RtcpType.PSFB, 0x77), up);
      viewer.send(feedback(RtcpType.RTPFB, 0x77, 104), up);
    }
    await vi.waitFor(() => expect(ofType(camera, RtcpType.RTPFB)).toHaveLength(1), PATIENCE);
    const [nack] = ofType(camera, RtcpType.RTPFB);
    expect([nack!.readUInt32BE(8), nack!.readUInt16BE(12)]).toEqual([5, 104]);
    // The first at once; the rest together when the window is over.
    await vi.waitFor(() => expect(ofType(camera, RtcpType.PSFB)).toHaveLength(2), PATIENCE);
    expect(ofType(camera, RtcpType.PSFB)[0]!.readUInt32BE(8)).toBe(5);

    const blocks = (): readonly Buffer[] => ofType(camera, RtcpType.RR).filter(({ length }) => length === 32);
    // What other workers heard may come after the first report; the next is due within 6.2 s.
    await vi.waitFor(() => expect(blocks().at(-1)?.[12]).toBe(20), { ...PATIENCE, timeout: 20_000 });
    expect([8, 16].map((at) => blocks().at(-1)!.readUInt32BE(at))).toEqual([5, 109]);
    expect(blocks().length).toBeLessThanOrEqual(2);
  });
});

test("media travel inside connections of a signalling worker both ways, with RTCP on its channel", async () => {
  bed = await FlowBed.start("mmsg");
  const { port1, port2 } = new MessageChannel();
  const attachment = bed.pool.flowService.attach(port1);
  const got: { readonly connection: number; readonly channel: number; readonly data: Buffer }[] = [];
  const links = new InterleavedLinks(
    port2,
    (connection, channel, bytes, start, end, header) => {
      const own = header < 0 ? [] : [bytes.slice(header, header + OWN_HEADER_BYTES)];
      const shared = bytes.slice(header < 0 ? start : start + OWN_HEADER_BYTES, end);
      got.push({ connection, channel, data: Buffer.concat([...own, shared]) });
    },
    () => {},
  );
  bed.onStop(() => {
    attachment.detach();
    links.close();
  });
  const viewer = await bed.peer();
  const connection = (number: number): string => String((BigInt(attachment.number) << 32n) | BigInt(number));
  const interleaved = (number: number) => ({ connection: connection(number), rtpChannel: 0, rtcpChannel: 1 });
  await bed.put({
    id: "tcp",
    sources: [{ id: "in", enabled: true, interleaved: interleaved(3) }],
    receivers: [
      mux("udp", viewer),
      { id: "tcp", enabled: true, interleaved: interleaved(4), rewrite: { ssrc: 8, continuous: true } },
    ],
  });
  const { worker } = bed.notices.at(-1)!;
  const sent = Array.from({ length: 150 }, (_, seq) => rtp({ seq, payload: `p${seq}` }));
  // The links come by message; until they are there nothing can be sent.
  await vi.waitFor(() => expect(links.send(worker, 3, 0, sent[0]!)).toBe(true), PATIENCE);
  for (const packet of sent.slice(1)) expect(links.send(worker, 3, 0, packet)).toBe(true);
  for (const channel of [0, 1])
    expect(links.send(worker, 3, channel, Buffer.from("neither RTP nor RTCP"))).toBe(true);
  expect(links.send(worker, 3, 1, senderReport(1, 5))).toBe(true);
  links.flush();

  await vi.waitFor(() => expect(got).toHaveLength(151), PATIENCE);
  await vi.waitFor(() => expect(viewer.received).toHaveLength(151), PATIENCE);
  expect(got.slice(0, 150).map(({ data }) => readRtp(data))).toEqual(
    sent.map((packet) => ({ ...readRtp(packet), ssrc: 8 })),
  );
  expect(got[150]).toMatchObject({ connection: 4, channel: 1 });
  expect(got[150]!.data.readUInt32BE(4)).toBe(8);

  // A worker that was rebuilt finds its way to the connections again.
  bed.pool.fail(0, "throw");
  await vi.waitFor(() => {
    links.send(worker, 3, 0, rtp({ seq: 150, payload: "again" }));
    links.flush();
    expect(got.some(({ data }) => readRtp(data).payload === "again")).toBe(true);
  }, PATIENCE);
});

test("streams of flows are measured by rtp-stats, which hears what receivers report", async () => {
  const loader = new FilterLoader(realParts.filterHost, new BuiltinFilters(installedFilters()));
  bed = await FlowBed.start("mmsg", { loadFilter: (name, config) => loader.load(name, config) });
  const [camera, viewer] = [await bed.peer(), await bed.peer()];
  const media = { kind: "video", clockRate: 90_000, payloadTypes: [96] };
  const opened = await bed.put({
    id: "lobby",
    stream: "rtsp://camera/lobby track 1",
    sources: [mux("in", camera, { media })],
    receivers: [mux("a", viewer)],
  });
  const { port } = legOf(opened, "in").local!;
  for (const seq of [1, 2, 4]) camera.send(rtp({ seq, ssrc: 5 }), port);
  await vi.waitFor(() => expect(viewer.received).toHaveLength(3), PATIENCE);

  const [stream] = await bed.pool.streams();
  expect(stream).toMatchObject({
    listener: "rtsp://camera/lobby track 1",
    filter: "rtp-stats",
    client: `127.0.0.1:${camera.port}`,
    ssrc: 5,
    packets: 3,
    lost: 1,
    clockRateHz: 90_000,
  });
  viewer.send(receiverReport(5, 64, 4), legOf(opened, "a").local!.port);
  await vi.waitFor(async () => {
    const [reported] = await bed!.pool.streams();
    expect(reported!.far).toMatchObject({ fractionLost: 0.25 });
  }, PATIENCE);
});

test("silence is told once, and again after it was broken", async () => {
  bed = await FlowBed.start("mmsg");
  const [camera, viewer] = [await bed.peer(), await bed.peer()];
  const opened = await bed.put({
    id: "lobby",
    idle: "0.05s",
    sources: [mux("in", camera)],
    receivers: [mux("a", viewer)],
  });
  const idle = (): number => bed!.events(FlowEvent_Kind.IDLE).length;
  await vi.waitFor(() => expect(idle()).toBe(1), PATIENCE);
  camera.send(rtp({ seq: 1 }), legOf(opened, "in").local!.port);
  await vi.waitFor(() => expect(idle()).toBe(2), PATIENCE);
});

test("an owner that is gone keeps its flows for the linger, and those that it puts again for good", async () => {
  bed = await FlowBed.start("mmsg");
  const viewer = await bed.peer();
  const flow = (id: string) => ({ id, receivers: [mux("a", viewer)] });
  await bed.put(flow("kept"));
  await bed.put(flow("lost"));
  bed.pool.flowService.release("test", 100);
  await bed.put(flow("kept"));
  expect(bed.pool.flowService.flows()).toHaveLength(2);
  await vi.waitFor(() => expect(bed!.events(FlowEvent_Kind.CLOSED)).toHaveLength(1), PATIENCE);
  expect(bed.pool.flowService.flows().map(({ id }) => id)).toEqual(["kept"]);
});
