// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Continue, checkContract, Drop, FilterHarness, languageOf, rtp } from "@msm/filter-sdk/testing";
import type { Scenario } from "../../runner/suite.ts";

const EXAMPLES = fileURLToPath(new URL("../../../../filters/examples", import.meta.url));

const names = readdirSync(EXAMPLES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "build")
  .map(({ name }) => name);

/** The contract of all filters, and the example's own doings, for each folder of examples. */
export const examplesInEveryLanguage: readonly Scenario[] = names.map((name) => ({
  title: `the example in ${name} compiles, does what it says and keeps the contract of all filters`,
  run: async (context) => {
    const folder = path.join(EXAMPLES, name);
    const missing = await (await languageOf(folder))?.missing();
    assert.equal(missing, null);
    const filter = await FilterHarness.load(folder, { offset: 7 });
    const packets = Array.from({ length: 500 }, (_, i) => rtp({ ssrc: i, sequenceNumber: i }));
    for (const [i, packet] of packets.entries()) {
      const { actions, payloads } = filter.run([packet, new Uint8Array(20)]);
      assert.deepEqual(actions, [Continue, Drop]);
      assert.deepEqual(payloads[0], rtp({ ssrc: i + 7, sequenceNumber: i }));
    }
    assert.equal(filter.metric("rewritten"), packets.length);
    const results = await checkContract(folder);
    assert.deepEqual(
      results.filter(({ problem }) => problem !== null),
      [],
    );
    context.note(`${name}: ${results.length} promises kept`);
  },
}));
