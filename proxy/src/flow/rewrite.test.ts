// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RewritePlan } from "./flow-plan.ts";
import { createLegMemory, LegDrop, LegFlag, LegRecords, RECORD_WORDS } from "./leg-records.ts";
import { payloadTypeTable, rewriteBatch } from "./rewrite.ts";
import { RtpBatch } from "./rtp-batch.ts";
import { readRtp, rtp } from "./testing/flow-bed.ts";

const CLOCK = 90_000;

/** A receiver in memory: gets packets of sources, and says what it would be sent. */
class Receiver {
  readonly records = new LegRecords(createLegMemory(1));
  readonly #task;
  /** Whether its batches are looked at datagram by datagram, even where they are runs. */
  isOneByOne = false;
  #nowMs = 1_000_000;

  constructor(plan: Partial<RewritePlan> = {}) {
    const full = { ssrc: 7, isContinuous: true, payloadTypes: [], ...plan };
    this.#task = { plan: full, payloadTypes: payloadTypeTable(full), leg: 0, clockRate: CLOCK };
  }

  wait(ms: number): this {
    this.#nowMs += ms;
    return this;
  }

  pause(): void {
    this.records.clearFlag(0, LegFlag.Synced);
  }

  get(source: number, ...packets: readonly Buffer[]) {
    const bytes = Buffer.concat(packets);
    const batch = new RtpBatch(packets.length);
    let offset = 0;
    for (const packet of packets) {
      batch.add(bytes, offset, packet.length);
      offset += packet.length;
    }
    if (this.isOneByOne) batch.isRun = false;
    const headers = new Uint8Array(12 * packets.length);
    const kept = new Uint32Array(packets.length);
    const rewriting = { records: this.records, batch, from: bytes, source, nowMs: this.#nowMs, kept };
    const count = rewriteBatch(this.#task, rewriting, headers, 0);
    return Array.from({ length: count }, (_, i) => {
      const payload = packets[kept[i]!]!.subarray(12);
      return readRtp(Buffer.concat([headers.subarray(12 * i, 12 * i + 12), payload]));
    });
  }

  late(): number {
    return this.records.number(0, LegDrop.late);
  }
}

describe("a receiver with continuous rewriting", () => {
  test("gets the sequence numbers of its first source as they are", () => {
    const receiver = new Receiver();
    expect(
      receiver.get(1, rtp({ seq: 65_535, timestamp: 5, ssrc: 3 }), rtp({ seq: 0, ssrc: 3 })),
    ).toMatchObject([{ seq: 65_535, timestamp: 5, ssrc: 7 }, { seq: 0 }]);
  });

  test("goes on by one, and by the time that passed, when another source is sent on", () => {
    const receiver = new Receiver();
    receiver.get(1, rtp({ seq: 10, timestamp: 1000 }));
    receiver.wait(20);
    expect(receiver.get(2, rtp({ seq: 500, timestamp: 77, ssrc: 9 }))).toMatchObject([
      { seq: 11, timestamp: 1000 + 20 * 90 },
    ]);
    expect(receiver.get(2, rtp({ seq: 502, timestamp: 77 + 3600, ssrc: 9 }))).toMatchObject([
      { seq: 13, timestamp: 1000 + 20 * 90 + 3600 },
    ]);
  });

  test("does not get what comes late from before the switch, which would repeat a number", () => {
    const receiver = new Receiver();
    receiver.get(1, rtp({ seq: 10 }));
    receiver.get(2, rtp({ seq: 500, ssrc: 9 }));
    expect(receiver.get(2, rtp({ seq: 499, ssrc: 9 }))).toEqual([]);
    expect(receiver.late()).toBe(1);
  });

  test("goes on after a pause where it was", () => {
    const receiver = new Receiver();
    receiver.get(1, rtp({ seq: 10 }));
    receiver.pause();
    receiver.wait(60_000);
    expect(receiver.get(1, rtp({ seq: 5000, timestamp: 1 }))).toMatchObject([
      { seq: 11, timestamp: 5_400_000 },
    ]);
  });

  test("passes reordering and loss on as they are", () => {
    const receiver = new Receiver();
    const seqs = [10, 12, 11, 15].map((seq) => receiver.get(1, rtp({ seq }))[0]!.seq);
    expect(seqs).toEqual([10, 12, 11, 15]);
  });

  test("follows a source that began anew once two packets in a row say so", () => {
    const receiver = new Receiver();
    receiver.get(1, rtp({ seq: 10 }));
    expect(receiver.get(1, rtp({ seq: 40_000 }))).toEqual([]);
    expect(receiver.get(1, rtp({ seq: 40_001 }), rtp({ seq: 40_002 }))).toMatchObject([
      { seq: 11 },
      { seq: 12 },
    ]);
  });

  test("follows another SSRC of its source only when the one before is silent", () => {
    const receiver = new Receiver();
    receiver.get(1, rtp({ seq: 10, ssrc: 1 }));
    expect(receiver.get(1, rtp({ seq: 900, ssrc: 2 }))).toEqual([]);
    receiver.wait(300);
    expect(receiver.get(1, rtp({ seq: 901, ssrc: 2 }))).toMatchObject([{ seq: 11, ssrc: 7 }]);
  });

  test("does not get what is not RTP", () => {
    expect(new Receiver().get(1, Buffer.from("no RTP header here"), Buffer.from("short"))).toEqual([]);
  });
});

test("payload types are mapped and the marker stays", () => {
  const receiver = new Receiver({ isContinuous: false, ssrc: undefined, payloadTypes: [[97, 96]] });
  expect(
    receiver.get(1, rtp({ seq: 3, ssrc: 5, payloadType: 97 }), rtp({ seq: 4, payloadType: 98 })),
  ).toMatchObject([{ payloadType: 96, seq: 3, ssrc: 5 }, { payloadType: 98 }]);
});

const batchOf = fc.record({
  source: fc.integer({ min: 0, max: 2 }),
  /** How many numbers are lost before each packet. */
  gaps: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 20 }),
  waitMs: fc.integer({ min: 0, max: 5_000 }),
  pause: fc.boolean(),
});

test("across switches, pauses and wraps, each packet of the source is there, and only its losses are gaps", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 3, maxLength: 3 }),
      fc.array(batchOf, { minLength: 1, maxLength: 30 }),
      (starts, batches) => {
        const receiver = new Receiver();
        const next = [...starts];
        let last: { readonly seq: number; readonly timestamp: number; readonly source: number } | undefined;
        for (const { source, gaps, waitMs, pause } of batches) {
          receiver.wait(waitMs);
          if (pause) receiver.pause();
          const packets = gaps.map((gap) => {
            next[source] = (next[source]! + gap + 1) & 0xffff;
            return rtp({ seq: next[source]!, ssrc: source, timestamp: next[source]! * 3600 });
          });
          const got = receiver.get(source, ...packets);
          expect(got).toHaveLength(packets.length);
          for (const [i, { seq, timestamp, ssrc }] of got.entries()) {
            const isStretch = last !== undefined && i === 0 && (pause || last.source !== source);
            if (last) expect((seq - last.seq) & 0xffff).toBe(isStretch ? 1 : gaps[i]! + 1);
            if (last && isStretch) expect((timestamp - last.timestamp) >>> 0).toBe(Math.max(1, waitMs * 90));
            expect(ssrc).toBe(7);
            last = { seq, timestamp, source };
          }
        }
      },
    ),
  );
});

const anyBatch = fc.record({
  source: fc.integer({ min: 1, max: 2 }),
  ssrc: fc.integer({ min: 1, max: 2 }),
  jump: fc.constantFrom(1, 1, 1, 0, -3, 2, 50, 2_999, 3_000, 20_000, -120, 0x4001),
  count: fc.integer({ min: 1, max: 40 }),
  waitMs: fc.integer({ min: 0, max: 400 }),
  pause: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
});

test("a run is rewritten as its datagrams would be one by one, whatever came before", () => {
  fc.assert(
    fc.property(fc.array(anyBatch, { minLength: 1, maxLength: 40 }), (batches) => {
      const [whole, apart] = [new Receiver(), new Receiver()];
      apart.isOneByOne = true;
      let next = 0xfff0;
      for (const { source, ssrc, jump, count, waitMs, pause } of batches) {
        next += jump - 1;
        const packets = Array.from({ length: count }, () => rtp({ seq: ++next, ssrc, timestamp: next * 90 }));
        const got = [whole, apart].map((receiver) => {
          if (pause) receiver.pause();
          return receiver.wait(waitMs).get(source, ...packets);
        });
        expect(got[0]).toEqual(got[1]);
        const [a, b] = [whole, apart].map(({ records }) => [...records.words.subarray(0, RECORD_WORDS)]);
        expect(a).toEqual(b);
      }
    }),
    { numRuns: 50 },
  );
});
