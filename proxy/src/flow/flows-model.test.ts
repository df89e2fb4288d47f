// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { FlowEvent_Kind } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { FlowBed, legOf, PATIENCE, type Peer, readRtp, rtp } from "./testing/flow-bed.ts";

const SOURCES = 2;
const RECEIVERS = 3;
/** One worker does everything, or others serve all receivers but one. */
const WORKERS = [1, 3];
let bed: FlowBed;
let cameras: readonly Peer[];
let viewers: readonly Peer[];
let stranger: Peer;
/** By worker: how often it was killed. */
let restarts: number[];

const receiverNumber = fc.nat({ max: RECEIVERS - 1 });
const sourceNumber = fc.nat({ max: SOURCES - 1 });
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ type: fc.constant("send" as const), count: fc.integer({ min: 1, max: 80 }) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("hijack" as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("inactive" as const) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("switch" as const), source: sourceNumber }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("toggle" as const), receiver: receiverNumber }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("remove" as const), receiver: receiverNumber }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant("restart" as const), worker: fc.nat({ max: 2 }) }),
  },
);

/** What a flow should do, and what its peers should have got. */
class Model {
  active = 0;
  /** Undefined where the receiver is not in the flow. */
  readonly enabled: (boolean | undefined)[] = new Array(RECEIVERS).fill(true);
  readonly expected: { readonly payload: string; readonly seq: number }[][] = viewers.map(() => []);
  readonly nextOut: (number | undefined)[] = new Array(RECEIVERS).fill(undefined);
  readonly nextIn: number[];
  /** By source: what it sent, whether or not it was the active one. */
  readonly sentBy: number[] = new Array(SOURCES).fill(0);
  sent = 0;

  constructor(starts: readonly number[]) {
    this.nextIn = [...starts];
  }

  /** The packets that the active source sends now. */
  send(count: number): readonly Buffer[] {
    return Array.from({ length: count }, () => {
      const seq = this.nextIn[this.active]!;
      this.nextIn[this.active] = (seq + 1) & 0xffff;
      const payload = `${this.active}:${this.sent++}`;
      this.sentBy[this.active]!++;
      for (const [i, isEnabled] of this.enabled.entries()) {
        if (isEnabled !== true) continue;
        const out = this.nextOut[i] ?? seq;
        this.nextOut[i] = (out + 1) & 0xffff;
        this.expected[i]!.push({ payload, seq: out });
      }
      return rtp({ seq, ssrc: 100 + this.active, payload });
    });
  }

  flow(id: string) {
    const local = { ip: "127.0.0.1" };
    return {
      id,
      activeSource: `s${this.active}`,
      sources: cameras.map((_, i) => {
        const udp = { local, rtcp: "MUX", latch: "LATCH_ONCE", latchFrom: "127.0.0.1" };
        return { id: `s${i}`, enabled: true, udp };
      }),
      receivers: viewers.flatMap(({ port }, i) => {
        if (this.enabled[i] === undefined) return [];
        const udp = { local, rtcp: "MUX", remote: { ip: "127.0.0.1", port } };
        return [{ id: `r${i}`, enabled: this.enabled[i], udp, rewrite: { ssrc: 9, continuous: true } }];
      }),
    };
  }
}

/** Waits until the worker has seen all that was sent: a change must not overtake it. */
async function settle(model: Model, id: string): Promise<void> {
  await vi.waitFor(() => {
    const { legs } = bed.pool.flowService.flows().find((flow) => flow.id === id)!;
    for (const [i, count] of model.sentBy.entries())
      expect(legs.find((leg) => leg.id === `s${i}`)!.receivedDatagrams).toBeGreaterThanOrEqual(count);
    for (const [i, { received }] of viewers.entries())
      expect(received.length).toBeGreaterThanOrEqual(model.expected[i]!.length);
  }, PATIENCE);
}

describe.each(WORKERS)("whatever is done to a flow of %d workers", (workers) => {
  beforeAll(async () => {
    bed = await FlowBed.start("mmsg", { concurrency: workers, receiversAtHome: 1 });
    restarts = new Array(workers).fill(0);
    cameras = await Promise.all(Array.from({ length: SOURCES }, () => bed.peer()));
    viewers = await Promise.all(Array.from({ length: RECEIVERS }, () => bed.peer()));
    stranger = await bed.peer();
  });
  afterAll(() => bed.stop());

  test("each receiver gets what it should, in order, without a gap", () => checkModel(workers), 120_000);
});

/** Opens, adds, switches, removes, hijacks and kills at random, and compares with what the model expects. */
async function checkModel(workers: number): Promise<void> {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: SOURCES, maxLength: SOURCES }),
      fc.array(step, { minLength: 1, maxLength: 15 }),
      async (starts, steps) => {
        for (const { received } of viewers) received.length = 0;
        const id = `run ${run++}`;
        const model = new Model(starts.map((start) => (start > 0x8000 ? 0xfff0 : start)));
        const opened = await bed.put(model.flow(id));
        const ports = cameras.map((_, i) => legOf(opened, `s${i}`).local!.port);
        const { legs } = bed.pool.flowService.flows().find((flow) => flow.id === id)!;
        expect(new Set(legs.map(({ worker }) => worker)).size).toBe(workers);
        // Each source is latched before anybody else can speak; the second is not the active one.
        model.sentBy[1]!++;
        cameras[1]!.send(rtp({ seq: 1, ssrc: 101 }), ports[1]!);
        for (const packet of model.send(1)) cameras[0]!.send(packet, ports[0]!);
        await settle(model, id);
        await vi.waitFor(() => {
          const first = bed.events(FlowEvent_Kind.FIRST_PACKET).filter(({ flow }) => flow === id);
          expect(first).toHaveLength(SOURCES);
        }, PATIENCE);
        for (const next of steps) await take(next, model, id, ports);
        await settle(model, id);
        for (const [i, { received }] of viewers.entries()) {
          const got = received.map(({ data }) => readRtp(data));
          expect(got.map(({ payload, seq }) => ({ payload, seq }))).toEqual(model.expected[i]);
          expect(got.every(({ ssrc }) => ssrc === 9)).toBe(true);
        }
        await bed.close(id);
      },
    ),
    { numRuns: 15 },
  );
}

async function take(
  next: typeof step extends fc.Arbitrary<infer Step> ? Step : never,
  model: Model,
  id: string,
  ports: readonly number[],
): Promise<void> {
  switch (next.type) {
    case "send":
      for (const packet of model.send(next.count)) cameras[model.active]!.send(packet, ports[model.active]!);
      return settle(model, id);
    case "hijack":
      stranger.send(
        rtp({ seq: model.nextIn[model.active]!, ssrc: 100 + model.active }),
        ports[model.active]!,
      );
      return;
    case "inactive":
      model.sentBy[1 - model.active]!++;
      cameras[1 - model.active]!.send(rtp({ seq: 7, ssrc: 101 - model.active }), ports[1 - model.active]!);
      return settle(model, id);
    case "switch":
      model.active = next.source;
      break;
    case "toggle":
      if (model.enabled[next.receiver] === undefined) model.nextOut[next.receiver] = undefined;
      model.enabled[next.receiver] = model.enabled[next.receiver] !== true;
      break;
    case "remove":
      model.enabled[next.receiver] = undefined;
      break;
    case "restart":
      return restart(next.worker % restarts.length, model, id, ports);
  }
  await bed.put(model.flow(id));
}

/** Kills a worker and waits until its successor passes media on; sockets and rings keep what came in between. */
async function restart(worker: number, model: Model, id: string, ports: readonly number[]): Promise<void> {
  // One that dies again and again is started later each time.
  if (++restarts[worker]! > 3) return;
  bed.pool.fail(worker, "throw");
  for (const packet of model.send(3)) cameras[model.active]!.send(packet, ports[model.active]!);
  await settle(model, id);
}
