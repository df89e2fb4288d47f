// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { FilterHarness, rtp } from "@msm/filter-sdk/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Arrival, RtpModel } from "./rtp-model.ts";

const SSRC = 0x1234_5678;
const PAYLOAD_TYPE = 96;

/** Places later that a packet arrives; up to 99 it is late, beyond it is a jump (RFC 3550 A.1). */
const delay = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.nat(90) },
  // The ends of the filter's 64-bit words, of what is misordering, and of its window.
  { weight: 2, arbitrary: fc.constantFrom(1, 62, 63, 64, 65, 98, 99, 100, 101, 127, 128) },
  fc.nat(300),
);

/** What happens to one packet on its way. */
const fate = fc.record({
  isLost: fc.boolean(),
  /** One for each copy that arrives. */
  delays: fc.oneof(
    { weight: 6, arbitrary: fc.constant([0]) },
    fc.array(delay, { minLength: 1, maxLength: 3 }),
  ),
  /** How far the source's sequence jumps before it; mostly it does not. */
  jump: fc.oneof(
    { weight: 60, arbitrary: fc.constant(0) },
    fc.nat(5),
    fc.constantFrom(62, 63, 64, 126, 127, 128, 2_997, 2_998, 2_999, 3_000),
    fc.nat(65_535),
  ),
  jitterNs: fc.nat(30_000_000),
});

const journey = fc.record({
  clockRate: fc.constantFrom(8_000, 44_100, 48_000, 90_000, 1_000_000),
  firstSequence: fc.oneof(fc.nat(65_535), fc.constant(65_530)),
  firstTimestamp: fc.oneof(fc.nat(0xffff_ffff), fc.constant(0xffff_fff0)),
  spacingMs: fc.constantFrom(1, 20, 33),
  batchSize: fc.integer({ min: 1, max: 64 }),
  fates: fc.array(fate, { minLength: 1, maxLength: 400 }),
  lossPercent: fc.constantFrom(0, 0, 50),
});

type Journey = typeof journey extends fc.Arbitrary<infer T> ? T : never;

function arrivals(plan: Journey): Arrival[] {
  const sent: (Arrival & { place: number })[] = [];
  let sequenceNumber = plan.firstSequence;
  plan.fates.forEach((one, i) => {
    sequenceNumber = (sequenceNumber + 1 + one.jump) & 0xffff;
    const units = Math.round((i * plan.spacingMs * plan.clockRate) / 1_000);
    const timestamp = (plan.firstTimestamp + units) >>> 0;
    if (plan.lossPercent > 0 && one.isLost) return;
    for (const late of one.delays) sent.push({ sequenceNumber, timestamp, place: i + late, arrivedNs: 0 });
  });
  sent.sort((a, b) => a.place - b.place);
  return sent.map(({ sequenceNumber, timestamp, place }, i) => {
    const jitterNs = plan.fates[i % plan.fates.length]?.jitterNs ?? 0;
    return { sequenceNumber, timestamp, arrivedNs: Math.round(place * plan.spacingMs * 1e6) + jitterNs };
  });
}

test("agrees with an independent model of RFC 3550 on any loss, order, duplication, jump and delay", async () => {
  await fc.assert(
    fc.asyncProperty(journey, async (plan) => {
      const stats = await FilterHarness.load("rtp-stats", { clockRates: { [PAYLOAD_TYPE]: plan.clockRate } });
      const model = new RtpModel(plan.clockRate);
      const packets = arrivals(plan);
      for (let at = 0; at < packets.length; at += plan.batchSize) {
        const batch = packets.slice(at, at + plan.batchSize);
        stats.run(
          batch.map((packet) => rtp({ ...packet, ssrc: SSRC, payloadType: PAYLOAD_TYPE })),
          { rxNs: batch.map((packet) => BigInt(packet.arrivedNs)) },
        );
      }
      for (const packet of packets) model.receive(packet);
      if (packets.length === 0) return;

      const stream = stats.streams()[0];
      expect(stream).toMatchObject({
        packets: model.received,
        lost: model.lost,
        reordered: model.reordered,
        duplicated: model.duplicated,
        restarts: model.restarts,
      });
      expect(stats.metric("msm_rtp_packets_lost_total")).toBe(model.gaps);
      // Integers of RFC 3550 A.8: each difference is cut to a whole unit, and so is the average.
      const units = ((stream?.jitterMs ?? 0) * plan.clockRate) / 1_000;
      expect(Math.abs(units - model.jitter)).toBeLessThan(2);
    }),
    { numRuns: 150 },
  );
});
