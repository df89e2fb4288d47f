// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Continue, FilterHarness } from "@msm/filter-sdk/testing";
import { expect, test } from "vitest";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const load = (config: object, options = {}): Promise<FilterHarness> =>
  FilterHarness.load("mirror", config, options);

test("each datagram from a client goes on as it came, and a copy of it to the cluster", async () => {
  const filter = await load({ cluster: "recorder" });
  const datagrams = [bytes(1, 2, 3), bytes(4)];
  const { actions, payloads, sent } = filter.run(datagrams, { session: 3 });
  expect([actions, payloads]).toEqual([[Continue, Continue], datagrams]);
  const copy = { session: 3, toClient: false, mark: 0, target: "recorder" };
  expect(sent).toEqual(datagrams.map((payload) => ({ payload, ...copy })));
  expect(filter.metric("mirror_datagrams_total")).toBe(2);
});

test.each([
  ["client", 1, 0],
  ["endpoint", 0, 1],
  ["both", 1, 1],
])("with from %s it copies what comes from there", async (from, ofClient, ofEndpoint) => {
  const filter = await load({ endpoint: "10.0.0.1:5004", from });
  expect(filter.run([bytes(1)]).sent).toHaveLength(ofClient);
  const { actions, sent } = filter.run([bytes(2)], { from: "endpoint" });
  expect(actions).toEqual([Continue]);
  expect(sent.map(({ target }) => target)).toEqual(Array(ofEndpoint).fill("10.0.0.1:5004"));
});

test("long and empty datagrams are copied whole, up to 9,000 bytes", async () => {
  const filter = await load({ cluster: "recorder" }, { payloadBytes: 12_000 });
  const sizes = [0, 1_400, 9_000];
  const datagrams = sizes.map((size) => Uint8Array.from({ length: size }, (_, i) => i & 0xff));
  const { actions, sent } = filter.run([...datagrams, new Uint8Array(9_001)]);
  expect(actions).toEqual(Array(4).fill(Continue));
  expect(sent.map(({ payload }) => payload)).toEqual(datagrams);
  expect(filter.metric("mirror_skipped_total")).toBe(1);
});

test("without a target it copies nothing", async () => {
  const filter = await load({});
  expect(filter.run([bytes(1)])).toMatchObject({ actions: [Continue], sent: [] });
});

test("a large batch is copied whole", async () => {
  const filter = await load({ cluster: "recorder" }, { capacity: 200 });
  const datagrams = Array.from({ length: 200 }, (_, i) => bytes(i));
  expect(filter.run(datagrams).sent.map(({ payload }) => payload)).toEqual(datagrams);
});

test.each([
  [{ cluster: "a", endpoint: "10.0.0.1:1" }, "only one of them"],
  [{ cluster: "" }, "must not be empty"],
  [{ from: "everywhere" }, "from must be"],
  [{ color: "red" }, "unknown field color"],
])("the configuration %o is refused, and it is said why", async (config, problem) => {
  await expect(load(config)).rejects.toThrow(problem);
});
