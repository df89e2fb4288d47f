// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { FlowEvent_Kind } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FlowBed, legOf, PATIENCE, type Peer, readRtp, rtp } from "./testing/flow-bed.ts";

let bed: FlowBed;
let camera: Peer;
let viewers: readonly Peer[];
let port: number;
let seq: number;

const LOCAL = { ip: "127.0.0.1" };

beforeEach(async () => {
  bed = await FlowBed.start("mmsg", { concurrency: 2, receiversAtHome: 2 });
  camera = await bed.peer();
  viewers = await Promise.all(Array.from({ length: 4 }, () => bed.peer()));
  seq = 0;
  const opened = await bed.put({
    ...{ id: "lobby", stream: "lobby" },
    sources: [leg("in", camera)],
    receivers: [receiver(0), receiver(1)],
  });
  port = legOf(opened, "in").local!.port;
});

afterEach(() => bed.stop());

function leg(id: string, { port: remote }: Peer, enabled = true) {
  return { id, enabled, udp: { local: LOCAL, remote: { ...LOCAL, port: remote }, rtcp: "MUX" } };
}

const receiver = (index: number, isEnabled = true) => leg(`v${index}`, viewers[index]!, isEnabled);

/** Sends one packet, and waits until these viewers, and no others, have had it. */
async function reaches(indexes: readonly number[]): Promise<void> {
  const payload = `packet ${seq}`;
  camera.send(rtp({ seq: seq++, payload }), port);
  const have = () =>
    viewers.flatMap(({ received }, i) =>
      received.some(({ data }) => readRtp(data).payload === payload) ? [i] : [],
    );
  await vi.waitFor(() => expect(have()).toEqual(indexes), PATIENCE);
}

const liveLegs = () => bed.pool.flowService.flows()[0]!.legs.map(({ id, isEnabled }) => [id, isEnabled]);

test("legs come, change and go, and the answer tells of those that are new or different", async () => {
  await reaches([0, 1]);
  const opened = await bed.change("lobby", { receivers: [receiver(1, false), receiver(2)] }, [
    "v0",
    "unheard of",
  ]);
  expect(opened.legs.map(({ id }) => id)).toEqual(["v1", "v2"]);
  expect(liveLegs()).toEqual([
    ["in", true],
    ["v1", false],
    ["v2", true],
  ]);
  await reaches([2]);
  await bed.change("lobby", { receivers: [receiver(0), receiver(1), receiver(3)] });
  await reaches([0, 1, 2, 3]);
  expect(new Set(bed.pool.flowService.flows()[0]!.legs.map(({ worker }) => worker)).size).toBe(2);
  // Whatever was at the other worker leaves it, and comes back.
  await bed.change("lobby", {}, ["v0", "v1", "v2", "v3"]);
  await bed.change("lobby", { receivers: [receiver(1), receiver(2), receiver(3)] });
  await reaches([1, 2, 3]);
});

test("a receiver that is not enabled has its ports before its worker hears of it, and what it said then counts", async () => {
  const learning = { local: LOCAL, rtcp: "MUX", latch: "LATCH_ONCE", latchFrom: LOCAL.ip };
  const waiting = { id: "v3", enabled: false, udp: learning };
  const opened = await bed.change("lobby", { receivers: [waiting, receiver(2, false)] });
  expect(legOf(opened, "v2").remote).toMatchObject({ ip: LOCAL.ip, port: viewers[2]!.port });
  const { port: local } = legOf(opened, "v3").local!;
  expect(local).toBeGreaterThan(0);
  viewers[3]!.send(Buffer.from([0x80, 201, 0, 1, 0, 0, 0, 9]), local);
  await reaches([0, 1]);
  await bed.change("lobby", { receivers: [{ ...waiting, enabled: true }] });
  await vi.waitFor(
    () =>
      expect(
        bed.events(FlowEvent_Kind.FIRST_PACKET).flatMap(({ legs }) => legs.map(({ id }) => id)),
      ).toContain("v3"),
    PATIENCE,
  );
  await reaches([0, 1, 3]);
});

test("a receiver that goes before it was enabled leaves its ports to others", async () => {
  const learning = { local: LOCAL, rtcp: "MUX", latch: "LATCH_ONCE" };
  for (let i = 0; i < 3; i++) {
    const opened = await bed.change("lobby", { receivers: [{ id: "shy", enabled: false, udp: learning }] });
    const { port: local } = legOf(opened, "shy").local!;
    await bed.change("lobby", {}, ["shy"]);
    const named = { ...LOCAL, port: local };
    const again = await bed.change("lobby", {
      receivers: [{ id: "bold", enabled: false, udp: { ...learning, local: named } }],
    });
    expect(again.kind).toBe(FlowEvent_Kind.OPENED);
    await bed.change("lobby", {}, ["bold"]);
  }
  await reaches([0, 1]);
});

test("a change that is refused leaves the flow as it was, and the next does not fail for it", async () => {
  const refusals = [
    await bed.change("lobby", { receivers: [{ id: "v9", enabled: true, udp: {} }] }, ["v0"]),
    await bed.change("lobby", { sources: [leg("v1", camera)] }),
    await bed.change("lobby", { activeSource: "v0" }),
    await bed.change("hall", { receivers: [receiver(2)] }),
  ];
  expect(refusals.map(({ kind }) => kind)).toEqual(refusals.map(() => FlowEvent_Kind.FAILED));
  expect(refusals.map(({ code }) => code)).toEqual(refusals.map(() => "MSM_FLOW_INVALID"));
  expect(refusals[1]!.message).toContain('has the id "v1"');
  await reaches([0, 1]);
  const opened = await bed.change("lobby", { receivers: [receiver(2)] });
  // Its owner does not know what it missed.
  expect(opened.legs.map(({ id }) => id)).toEqual(["in", "v0", "v1", "v2"]);
  await reaches([0, 1, 2]);
});

test("fields that are set take over, and sources are switched", async () => {
  const other = await bed.peer();
  const opened = await bed.change("lobby", {
    stream: "hall",
    activeSource: "out",
    sources: [leg("out", other)],
  });
  expect(bed.pool.flowService.flows()[0]).toMatchObject({ id: "lobby", stream: "hall" });
  port = legOf(opened, "out").local!.port;
  camera = other;
  await reaches([0, 1]);
});
