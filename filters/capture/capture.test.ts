// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Continue, FilterHarness } from "@msm/filter-sdk/testing";
import { expect, test } from "vitest";
import { readPcapng } from "./read-pcapng.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const load = (config: object = {}, options = {}): Promise<FilterHarness> =>
  FilterHarness.load("capture", config, options);
const written = (filter: FilterHarness): Uint8Array => Buffer.concat(filter.written("capture.pcapng"));

const CLIENT = "192.0.2.9:40001";
const ENDPOINT = "198.51.100.1:5004";

test("what passes in both directions is in the file, with addresses, times and lengths", async () => {
  const filter = await load();
  filter.openSession(3, CLIENT);
  const rxNs = [filter.nowNs, filter.nowNs + 1_234_567n];
  const { actions } = filter.run([bytes(1, 2, 3), bytes(4)], { session: 3, rxNs });
  filter.run([bytes(9, 9)], { session: 3, from: "endpoint" });
  filter.tick(500);
  expect(actions).toEqual([Continue, Continue]);
  const { linkType, packets } = readPcapng(written(filter));
  expect(linkType).toBe(101);
  expect(packets).toMatchObject([
    { from: CLIENT, to: ENDPOINT, payload: bytes(1, 2, 3), originalBytes: 31 },
    { from: CLIENT, to: ENDPOINT, payload: bytes(4), originalBytes: 29 },
    { from: ENDPOINT, to: CLIENT, payload: bytes(9, 9), originalBytes: 30 },
  ]);
  expect(packets[1]!.ns - packets[0]!.ns).toBe(1_234_567n);
  expect(filter.metric("capture_written_total")).toBe(3);
});

test("a client with an IPv6 address is written as such", async () => {
  const filter = await load();
  filter.openSession(0, "[2001:db8::7]:40001");
  filter.run([bytes(5)]);
  filter.tick(500);
  const [packet] = readPcapng(written(filter)).packets;
  expect(packet).toMatchObject({
    from: "[2001:db8:0:0:0:0:0:7]:40001",
    to: "[0:0:0:0:0:ffff:c633:6401]:5004",
    payload: bytes(5),
  });
});

test("of a long datagram so many bytes are kept as the configuration says", async () => {
  const filter = await load({ bytes: 13 });
  filter.run([new Uint8Array(1_000).fill(7)]);
  filter.tick(500);
  const [packet] = readPcapng(written(filter)).packets;
  expect(packet).toMatchObject({ payload: new Uint8Array(13).fill(7), originalBytes: 1_028 });
});

test.each([
  ["client", [1]],
  ["endpoint", [2]],
  ["both", [1, 2]],
])("with from %s it has what comes from there", async (from, expected) => {
  const filter = await load({ from });
  filter.run([bytes(1)]);
  filter.run([bytes(2)], { from: "endpoint" });
  filter.tick(500);
  expect(readPcapng(written(filter)).packets.map(({ payload }) => payload[0])).toEqual(expected);
});

test("many datagrams leave in records that the host takes, each whole", async () => {
  const filter = await load({ bytes: 1_400 });
  const payloads = Array.from({ length: 60 }, (_, i) => new Uint8Array(1_400 - i).fill(i));
  for (let turn = 0; turn < 5; turn++) filter.run(payloads);
  filter.tick(500);
  for (const record of filter.written("capture.pcapng")) expect(record.length).toBeLessThanOrEqual(65_536);
  const { packets } = readPcapng(written(filter));
  expect(packets.map(({ payload }) => payload)).toEqual(Array(5).fill(payloads).flat());
});

test("what the host does not take is lost whole and counted, and the datagrams go on", async () => {
  const filter = await load();
  filter.openSinks(false);
  expect(filter.run([bytes(1), bytes(2)]).actions).toEqual([Continue, Continue]);
  filter.tick(500);
  filter.openSinks(true);
  filter.run([bytes(3)]);
  filter.tick(500);
  expect(readPcapng(written(filter)).packets.map(({ payload }) => payload[0])).toEqual([3]);
  expect(filter.metric("capture_lost_total")).toBe(2);
});

test.each([
  [{ bytes: 11 }, "from 12 to 9000"],
  [{ bytes: 20.5 }, "from 12 to 9000"],
  [{ from: "nobody" }, "from must be"],
  [{ color: "red" }, "unknown field color"],
])("the configuration %o is refused, and it is said why", async (config, problem) => {
  await expect(load(config)).rejects.toThrow(problem);
});
