// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { FilterHarness } from "./filter-harness.ts";
import { Consume, Continue, Drop } from "./index.ts";
import { rtp } from "./rtp.ts";

const FOLDER = fileURLToPath(new URL("../testdata/network-filter", import.meta.url));
const load = (): Promise<FilterHarness> => FilterHarness.load(FOLDER);
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

test("a Proxy-Wasm network filter that knows nothing of datagrams rewrites them one by one", async () => {
  const filter = await load();
  const packets = [rtp({ ssrc: 1, sequenceNumber: 7, payload: 100 }), rtp({ ssrc: 2, sequenceNumber: 8 })];
  const { actions, payloads } = filter.run(packets);
  expect(actions).toEqual([Continue, Continue]);
  expect(payloads).toEqual([
    rtp({ ssrc: 0xcafebabe, sequenceNumber: 7, payload: 100 }),
    rtp({ ssrc: 0xcafebabe, sequenceNumber: 8 }),
  ]);
});

test("it hears of each session once, and reads its properties", async () => {
  const filter = await load();
  for (const session of [0, 1, 1]) filter.run([rtp({})], { session });
  expect(filter.logs.map((line) => line.message)).toEqual(["192.0.2.1:40000", "192.0.2.2:40001"]);
});

test("what it empties is dropped, and what it has no callback for passes", async () => {
  const filter = await load();
  expect(filter.run([text("drop it")]).actions).toEqual([Drop]);
  expect(filter.run([text("drop it")], { from: "endpoint" })).toMatchObject({ actions: [Continue] });
});

test("what it pauses keeps its boundaries and goes on when it continues the stream", async () => {
  const filter = await load();
  expect(filter.run([text("one"), text("two")]).actions).toEqual([Consume, Consume]);
  const { actions, sent } = filter.run([rtp({})]);
  expect(actions).toEqual([Continue]);
  expect(sent.map(({ payload }) => new TextDecoder().decode(payload))).toEqual(["one", "two"]);
});

test("empty datagrams pass through it as any other that it does not know", async () => {
  const filter = await load();
  expect(filter.run([new Uint8Array(0)]).actions).toEqual([Consume]);
  expect(filter.isFailed).toBe(false);
});
