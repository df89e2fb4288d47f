// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, test, vi } from "vitest";
import { backendNames } from "../io/load-backend.ts";
import { Stage } from "../wasm/abi.ts";
import type { RunnableFilter } from "../wasm/index.ts";
import { scriptPlan } from "../wasm/testdata/script-filter.ts";
import { FlowBed, legOf, PATIENCE, type Peer, readRtp, rtp } from "./testing/flow-bed.ts";

let bed: FlowBed | undefined;
afterEach(async () => {
  const last = bed;
  bed = undefined;
  await last?.stop();
});

/** At stage EGRESS: knows each receiver by its port, and does with its copies what their text says. */
const PER_RECEIVER = `
  export const wants = { stages: 4, emitCapacity: 64 };
  const ports = new Map();
  const bytes = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  export function onSession(session) {
    ports.set(session, msm.property("upstream.address").split(":")[1]);
  }
  export function onDatagrams(batch) {
    for (const datagram of batch) {
      if (datagram.toClient) {
        batch.add(datagram.session, false, bytes("heard"));
        datagram.drop();
        continue;
      }
      const text = String.fromCharCode(...datagram.data.subarray(12));
      const port = ports.get(datagram.session);
      if (text === "write ....." || text === "count .....") {
        const value = text.startsWith("write") ? port : batch.count + "/" + datagram.index;
        for (let i = 0; i < value.length; i++) datagram.setU8(18 + i, value.charCodeAt(i));
      }
      else if (text === "not " + port) datagram.drop();
      else if (text === "late " + port) datagram.sendAt(batch.nowMs + 60);
      else if (text === "more " + port) batch.add(datagram.session, false, datagram.data.slice());
      else if (text === "back " + port) datagram.reply();
    }
  }`;

/** At stage SESSION: says so. */
const BEFORE = `
  export function onDatagrams(batch) {
    for (const datagram of batch) if (datagram.u8(12) === 33) datagram.setU8(12, 48 + datagram.session);
  }`;

const LOCAL = { ip: "127.0.0.1" };

function leg(id: string, { port }: Peer, rtcp = "MUX", more: object = {}) {
  return { id, enabled: true, udp: { local: LOCAL, remote: { ...LOCAL, port }, rtcp }, ...more };
}

function plugin(name: string) {
  const code = { local: { inlineString: name } };
  return { name, vmConfig: { runtime: "envoy.wasm.runtime.null", code } };
}

async function loadFilter(name: string): Promise<RunnableFilter> {
  return name === "before"
    ? scriptPlan(BEFORE, { name, stages: Stage.Session })
    : scriptPlan(PER_RECEIVER, { name, stages: Stage.Egress });
}

const texts = ({ received }: Peer): readonly string[] => received.map(({ data }) => readRtp(data).payload);

/** A flow from a camera to receivers, whose chain has one filter at each stage. */
async function start(io: string, count: number, options: object = {}) {
  bed = await FlowBed.start(io, { loadFilter, ...options });
  const camera = await bed.peer();
  const viewers = await Promise.all(Array.from({ length: count }, () => bed!.peer()));
  const opened = await bed.put({
    id: "lobby",
    sources: [leg("in", camera)],
    receivers: viewers.map((viewer, i) => leg(`v${i}`, viewer, "MUX", { rewrite: { ssrc: 100 + i } })),
    chain: [plugin("after"), plugin("before")],
  });
  const { port } = legOf(opened, "in").local!;
  let seq = 0;
  const send = (payload: string): void => camera.send(rtp({ seq: seq++, payload }), port);
  return { camera, viewers, send, opened };
}

describe.each(await backendNames())("filters at stage EGRESS on %s", (io) => {
  test("see each receiver's copy, with its header, behind those that see each datagram once", async () => {
    const { viewers, send } = await start(io, 3);
    send("write .....");
    send("!");
    for (const [i, viewer] of viewers.entries()) {
      await vi.waitFor(() => expect(texts(viewer)).toEqual([`write ${viewer.port}`, "2"]), PATIENCE);
      expect(readRtp(viewer.received[0]!.data).ssrc).toBe(100 + i);
    }
  });

  test("drop, hold, add and answer for one receiver and leave the others alone", async () => {
    const { camera, viewers, send } = await start(io, 2);
    const [one, two] = [viewers[0]!, viewers[1]!];
    const words = ["not", "late", "more", "back"].map((word) => `${word} ${one.port}`);
    for (const word of words) send(word);
    send("end");
    await vi.waitFor(() => expect(texts(two)).toEqual([...words, "end"]), PATIENCE);
    const [, late, more] = words;
    await vi.waitFor(
      () => expect([...texts(one)].sort()).toEqual(["end", late, more, more].sort()),
      PATIENCE,
    );
    expect(texts(one).at(-1)).toBe(late);
    await vi.waitFor(() => expect(texts(camera)).toEqual([words[3]]), PATIENCE);
  });

  test("see what a receiver says before anybody else does", async () => {
    const { viewers, send, opened } = await start(io, 1);
    send("first");
    await vi.waitFor(() => expect(viewers[0]!.received).toHaveLength(1), PATIENCE);
    const report = Buffer.from([0x80, 201, 0, 1, 0, 0, 0, 9]);
    viewers[0]!.send(report, legOf(opened, "v0").local!.port);
    await vi.waitFor(() => expect(viewers[0]!.received.at(-1)!.data.toString()).toBe("heard"), PATIENCE);
  });
});

test("a filter at stage EGRESS is called once for many receivers", async () => {
  const { viewers, send } = await start("mmsg", 40);
  send("count .....");
  for (const [i, viewer] of viewers.entries()) {
    await vi.waitFor(() => expect(texts(viewer)[0]).toMatch(`count 40/${i}`), PATIENCE);
  }
});

test("receivers at other workers have their filters there", async () => {
  const { viewers, send } = await start("mmsg", 12, { concurrency: 2, receiversAtHome: 4 });
  send("write .....");
  for (const viewer of viewers) {
    await vi.waitFor(() => expect(texts(viewer)).toEqual([`write ${viewer.port}`]), PATIENCE);
  }
});

test("a filter that is at home nowhere in a flow is refused", async () => {
  bed = await FlowBed.start("mmsg", {
    loadFilter: () => scriptPlan(BEFORE, { stages: Stage.Listener }),
  });
  const camera = await bed.peer();
  const failed = await bed.put({ id: "lobby", sources: [leg("in", camera)], chain: [plugin("door")] });
  expect([failed.code, failed.message]).toEqual(["MSM_FILTER_STAGE", expect.stringContaining("LISTENER")]);
});

test("filters of flows have timers of a few milliseconds", async () => {
  const quick = `
    export const wants = { emitCapacity: 1 };
    let last = 0, quick = 0, session;
    export function onSession(context) { session = context; msm.setTimer(context, 1, 1, 1); }
    export function onDatagrams() {}
    export function onTimer(context, timer, batch) {
      if (batch.nowMs - last < 5 && ++quick === 10) batch.add(session, false, new Uint8Array(1));
      last = batch.nowMs;
    }`;
  bed = await FlowBed.start("mmsg", { loadFilter: () => scriptPlan(quick) });
  const [camera, viewer] = [await bed.peer(), await bed.peer()];
  await bed.put({
    id: "lobby",
    sources: [leg("in", camera, "NONE")],
    receivers: [leg("out", viewer, "NONE")],
  });
  await vi.waitFor(() => expect(viewer.received).toHaveLength(1), PATIENCE);
});

test("a flow whose chain changes finds what its filters left for their successors", async () => {
  const version = (number: number): string => `
    export const wants = { emitCapacity: 1 };
    const bytes = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    let found = "nothing";
    export function onSession(session) {
      found = msm.property("filter_state.left") ?? found;
      if (msm.propertyBytes("msm.session.resumed")[0] === 1) found += ", resumed";
    }
    export function onHandOver(session) { msm.setProperty("left", "by version ${number}"); }
    export function onDatagrams(batch) {
      for (const datagram of batch) { batch.add(datagram.session, false, bytes(found)); datagram.drop(); }
    }`;
  const load = (name: string): Promise<RunnableFilter> =>
    scriptPlan(version(Number(name.slice(1))), { name });
  bed = await FlowBed.start("mmsg", { loadFilter: load });
  const [camera, viewer] = [await bed.peer(), await bed.peer()];
  const flow = { id: "lobby", sources: [leg("in", camera, "NONE")], receivers: [leg("out", viewer, "NONE")] };
  const opened = await bed.put({ ...flow, chain: [plugin("v1")] });
  const { port } = legOf(opened, "in").local!;
  camera.send(Buffer.from("?"), port);
  await vi.waitFor(() => expect(viewer.received[0]?.data.toString()).toBe("nothing"), PATIENCE);
  await bed.put({ ...flow, chain: [plugin("v2")] });
  camera.send(Buffer.from("?"), port);
  await vi.waitFor(() => expect(viewer.received[1]?.data.toString()).toBe("by version 1, resumed"), PATIENCE);
});
