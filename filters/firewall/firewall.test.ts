// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Continue, Drop, FilterHarness } from "@msm/filter-sdk/testing";
import fc from "fast-check";
import { expect, test } from "vitest";

type Rule = {
  readonly action: "allow" | "deny";
  readonly sources?: readonly string[];
  readonly ports?: readonly string[];
};

/** Whether a session from this address passes. */
async function passes(
  client: string,
  rules: readonly Rule[],
  others: "allow" | "deny" = "deny",
): Promise<boolean> {
  const filter = await FilterHarness.load("firewall", { default: others, rules });
  filter.openSession(7, client);
  const down = filter.run([new Uint8Array(3)], { session: 7 }).actions[0];
  expect(filter.run([new Uint8Array(0)], { session: 7, from: "endpoint" }).actions[0]).toBe(down);
  return down === Continue;
}

const allow = (...sources: string[]): Rule[] => [{ action: "allow", sources }];

test("without a configuration everyone passes", async () => {
  const filter = await FilterHarness.load("firewall");
  expect(filter.run([new Uint8Array(1)]).actions).toEqual([Continue]);
});

test("what is denied is dropped, and the reason is counted", async () => {
  const filter = await FilterHarness.load("firewall", { default: "deny" });
  expect(filter.run([new Uint8Array(1), new Uint8Array(2)]).actions).toEqual([Drop, Drop]);
  expect(filter.metric('msm_filter_dropped_total{reason="denied"}')).toBe(2);
});

test.each([
  ["192.0.2.5:4000", "192.0.2.5", true],
  ["192.0.2.6:4000", "192.0.2.5", false],
  ["192.0.2.255:1", "192.0.2.0/24", true],
  ["192.0.3.0:1", "192.0.2.0/24", false],
  ["203.0.113.9:1", "0.0.0.0/0", true],
  ["[2001:db8::1]:1", "0.0.0.0/0", false],
  ["192.0.2.1:1", "::/0", true],
  ["[2001:db8::5]:4000", "2001:db8::/32", true],
  ["[2001:db9::5]:4000", "2001:db8::/32", false],
  ["[2001:db8:0:1:0:0:0:5]:4000", "2001:db8:0:1::5", true],
  ["[::1]:9", "::1/128", true],
  ["[fe80::1:2:3]:9", "fe80:0:0:0:0:1:2:3", true],
])("a client %s and the network %s: %s", async (client, network, expected) => {
  expect(await passes(client, allow(network))).toBe(expected);
});

test("the first rule that matches decides", async () => {
  const rules: Rule[] = [{ action: "deny", sources: ["192.0.2.66"] }, ...allow("192.0.2.0/24")];
  expect(await passes("192.0.2.66:5", rules)).toBe(false);
  expect(await passes("192.0.2.67:5", rules)).toBe(true);
});

test("a rule with ports means these alone", async () => {
  const rules: Rule[] = [{ action: "allow", ports: ["1024-2000", "5000"] }];
  const ports = [1_023, 1_024, 2_000, 2_001, 5_000];
  const verdicts = await Promise.all(ports.map((port) => passes(`192.0.2.1:${port}`, rules)));
  expect(verdicts).toEqual([false, true, true, false, true]);
});

test("a session that takes the place of another is judged by its own address", async () => {
  const filter = await FilterHarness.load("firewall", { default: "deny", rules: allow("192.0.2.1") });
  filter.openSession(3, "192.0.2.1:1");
  filter.closeSession(3);
  filter.openSession(3, "192.0.2.2:1");
  expect(filter.run([new Uint8Array(1)], { session: 3 }).actions).toEqual([Drop]);
});

test.each([
  [{ default: "maybe" }, "allow"],
  [{ rules: [{ sources: [] }] }, "needs an action"],
  [{ rules: [{ action: "deny", sources: ["192.0.2.256"] }] }, "192.0.2.256"],
  [{ rules: [{ action: "deny", sources: ["192.0.2.0/33"] }] }, "from 0 to 32"],
  [{ rules: [{ action: "deny", sources: ["1:2:3:4:5:6:7:8:9"] }] }, "no IP address"],
  [{ rules: [{ action: "deny", sources: ["1::2::3"] }] }, "no IP address"],
  [{ rules: [{ action: "deny", sources: ["1:2:3:4:5:6:7:"] }] }, "no IP address"],
  [{ rules: [{ action: "deny", ports: ["9-3"] }] }, "9-3"],
  [{ rules: [{ action: "deny", ports: ["65536"] }] }, "65536"],
  [{ rules: {} }, "an array is expected"],
  [{ rule: [] }, "unknown field rule"],
])("refuses %o and says why", async (config, problem) => {
  await expect(FilterHarness.load("firewall", config)).rejects.toThrow(problem);
});

test("agrees with plain arithmetic on every network and address of IPv4", async () => {
  const quad = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
  const word = fc.integer({ min: 0, max: 0xffff_ffff });
  await fc.assert(
    fc.asyncProperty(word, fc.nat(32), fc.nat(31), async (network, bits, flipped) => {
      const client = (network ^ (1 << flipped)) >>> 0;
      const expected = 31 - flipped >= bits;
      expect(await passes(`${quad(client)}:1`, allow(`${quad(network)}/${bits}`))).toBe(expected);
    }),
  );
});

test("whatever a rule holds, it is taken or refused, and never breaks the filter", async () => {
  const text = fc.oneof(fc.string({ maxLength: 40 }), fc.stringMatching(/^[0-9a-f:./-]{0,24}$/));
  await fc.assert(
    fc.asyncProperty(
      fc.array(text, { maxLength: 3 }),
      fc.array(text, { maxLength: 3 }),
      async (sources, ports) => {
        const config = { rules: [{ action: "allow", sources, ports }] };
        const outcome = await FilterHarness.load("firewall", config).catch((error: Error) => error.message);
        if (typeof outcome === "string") expect(outcome).toMatch(/refused its configuration; it logged/);
      },
    ),
    { numRuns: 300 },
  );
});
