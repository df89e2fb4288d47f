// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { FilterHarness, rtp } from "@msm/filter-sdk/testing";
import { Bench } from "tinybench";

/** MPEG-TS in RTP: seven packets of 188 bytes, 1,316 in all, and the header. */
const PAYLOAD_BYTES = 1_316;
const MP2T = 33;
/** Runs per measured call, so that the clock's own cost does not count. */
const TURNS = 100;
const NANOSECONDS_PER_MS = 1e6;

const bench = new Bench({ time: 1_000 });

for (const { batchSize, streams, trust } of [
  { batchSize: 64, streams: 1, trust: "builtin" },
  { batchSize: 64, streams: 1, trust: "plugin" },
  { batchSize: 64, streams: 64, trust: "builtin" },
  { batchSize: 64, streams: 64, trust: "plugin" },
  { batchSize: 1, streams: 1, trust: "builtin" },
] as const) {
  const harness = await FilterHarness.load("rtp-stats", {}, { trust });
  const packets = Array.from({ length: batchSize }, (_, i) =>
    rtp({ payloadType: MP2T, ssrc: 1 + (i % streams), payload: PAYLOAD_BYTES }),
  );
  const batch = harness.stage(packets);
  const sequenceNumbers = new Uint16Array(streams);
  const addresses = packets.map((_, i) => batch.word(i, 0));

  const fuel = trust === "builtin" ? "not counted" : "counted";
  bench.add(`batch of ${batchSize}, ${streams} stream(s), instructions ${fuel}`, () => {
    for (let turn = 0; turn < TURNS; turn++) {
      // Every turn carries the next packets of its streams; writing the numbers is part of what is measured.
      for (let i = 0; i < batchSize; i++) {
        const sequenceNumber = sequenceNumbers[i % streams]!++;
        batch.bytes[addresses[i]! + 2] = sequenceNumber >> 8;
        batch.bytes[addresses[i]! + 3] = sequenceNumber;
      }
      harness.runStaged(batch);
    }
  });
}

for (const task of await bench.run()) {
  if (task.result.state !== "completed") throw new Error(`${task.name} did not complete`);
  const size = Number(/\d+/.exec(task.name)?.[0]);
  const perDatagram = (task.result.latency.p50 * NANOSECONDS_PER_MS) / TURNS / size;
  console.log(`rtp-stats, ${task.name}: p50 ${perDatagram.toFixed(1)} ns per datagram`);
}
