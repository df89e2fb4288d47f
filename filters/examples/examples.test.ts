// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from "node:fs";
import path from "node:path";
import { Continue, Drop, FilterHarness, languageOf, rtp } from "@msm/filter-sdk/testing";
import { describe, expect, test } from "vitest";

const root = import.meta.dirname;
const names = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "build")
  .map(({ name }) => name);

const missing = new Map<string, string | null>();
for (const name of names)
  missing.set(name, (await (await languageOf(path.join(root, name)))?.missing()) ?? null);

describe.each(names)("the example in %s", (name) => {
  const folder = path.join(root, name);
  const needed = missing.get(name);
  const run = test.skipIf(needed !== null);

  run("adds to the SSRC of RTP, drops the rest, and counts", async () => {
    const filter = await FilterHarness.load(folder, { offset: 7 });
    const packet = rtp({ ssrc: 0xffff_fffe });
    const { actions, payloads } = filter.run([packet, new Uint8Array(30), packet.subarray(0, 11)]);
    expect(actions).toEqual([Continue, Drop, Drop]);
    expect(payloads[0]).toEqual(rtp({ ssrc: 5 }));
    expect(filter.metric("rewritten")).toBe(1);
    expect(filter.metric('msm_filter_dropped_total{reason="not_rtp"}')).toBe(2);
  });

  run("refuses a configuration that it does not know, and says why", async () => {
    await expect(FilterHarness.load(folder, { shift: 3 })).rejects.toThrow(/unknown field.*shift/);
    await expect(FilterHarness.load(folder, { offset: "much" })).rejects.toThrow("MSM_FILTER_CONFIG");
  });
});
