// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test } from "vitest";
import { TestDnsServer } from "../testing/dns-server.ts";
import type { DnsLookupFamily } from "./dns-plan.ts";
import { lookupByFamily } from "./lookup-by-family.ts";
import { lookupName } from "./lookup-name.ts";

let server: TestDnsServer;

beforeEach(async () => {
  server = await TestDnsServer.start();
});

afterEach(() => server.close());

const ask = (name: string, family: DnsLookupFamily) =>
  lookupByFamily(lookupName, name, family, [server.address]);

test.each<[DnsLookupFamily, readonly string[]]>([
  ["V4_ONLY", ["10.0.0.1", "10.0.0.2"]],
  ["V6_ONLY", ["2001:db8::1"]],
  ["AUTO", ["2001:db8::1"]],
  ["V4_PREFERRED", ["10.0.0.1", "10.0.0.2"]],
  ["ALL", ["10.0.0.1", "10.0.0.2", "2001:db8::1"]],
])("a name with addresses of both families has under %s %j", async (family, expected) => {
  server.zones.set("both.test", { addresses: ["10.0.0.1", "10.0.0.2", "2001:db8::1"], ttl: 7 });
  const { addresses, ttlMs } = await ask("both.test", family);
  expect([...addresses].sort()).toEqual(expected);
  expect(ttlMs).toBe(7000);
});

test("where the family that is preferred has none, the other is taken", async () => {
  server.zones.set("four.test", { addresses: ["10.0.0.1"], ttl: 1 });
  server.zones.set("six.test", { addresses: ["2001:db8::1"], ttl: 1 });
  expect((await ask("four.test", "AUTO")).addresses).toEqual(["10.0.0.1"]);
  expect((await ask("six.test", "V4_PREFERRED")).addresses).toEqual(["2001:db8::1"]);
});

test("a name that is not there is an answer without addresses, a server that fails is none", async () => {
  server.zones.set("broken.test", undefined);
  expect((await ask("nowhere.test", "V4_ONLY")).addresses).toEqual([]);
  await expect(ask("broken.test", "V4_ONLY")).rejects.toThrow("ESERVFAIL");
  await expect(ask("broken.test", "AUTO")).rejects.toThrow("ESERVFAIL");
});

test("without servers, names are looked up as the system does", async () => {
  const { addresses } = await lookupByFamily(lookupName, "localhost", "V4_ONLY", []);
  expect(addresses).toEqual(["127.0.0.1"]);
});
