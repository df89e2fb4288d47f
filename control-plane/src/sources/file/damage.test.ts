// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { expect, test } from "vitest";
import { ResourceStore } from "../../mesh/resource-store.ts";
import { keyOf } from "../../refusal.ts";
import { smallMesh } from "../../testing/mesh-yaml.ts";
import { updateOf } from "../../testing/read-text.ts";
import { fileLimits } from "./limits.ts";
import { readResources } from "./read-resources.ts";

const read = (text: string, before?: ReturnType<typeof readResources>) =>
  readResources({ path: "mesh.yaml", text }, fileLimits.maxAliasCount, before);

/** A text in which a run of characters is replaced by something else. */
const damaged = fc
  .record({
    at: fc.nat(smallMesh.length),
    length: fc.nat(40),
    insert: fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.constantFrom(
        "\t",
        ": ",
        "- ",
        "{",
        "[",
        "&a *a",
        "*b",
        "!!binary x",
        "|",
        "---\n",
        "\n",
        '"',
        "\u0000",
      ),
    ),
  })
  .map(({ at, length, insert }) => smallMesh.slice(0, at) + insert + smallMesh.slice(at + length));

test("reads any text without throwing, and locates whatever it refuses inside it", () => {
  fc.assert(
    fc.property(fc.oneof(damaged, fc.string({ maxLength: 300 })), (text) => {
      const { refusals } = new ResourceStore().apply(updateOf(read(text)));
      for (const { line, column, message } of refusals) {
        expect(line).toBeGreaterThan(0);
        expect(column).toBeGreaterThan(0);
        expect(line).toBeLessThanOrEqual(text.split("\n").length);
        expect(message).not.toBe("");
      }
    }),
    { numRuns: 500 },
  );
});

test("after damage, whatever is refused has its last good form in force, and repair restores everything", () => {
  const good = read(smallMesh);
  fc.assert(
    fc.property(damaged, (text) => {
      const store = new ResourceStore();
      const before = store.apply(updateOf(good));
      const bad = read(text, good);
      const during = store.apply(updateOf(bad));
      // What has nothing in force was not there before (a damaged name makes a new resource), or has lost what it
      // was attached to: taking a Gateway away takes its routes out of force.
      for (const { id, inForce, refusals } of during.statuses) {
        if (inForce !== "none" || refusals.some(({ code }) => code === "MSM_ROUTE_PARENT_NOT_FOUND"))
          continue;
        expect(before.statuses.map((status) => keyOf(status.id))).not.toContain(keyOf(id));
      }
      const after = store.apply(updateOf(read(smallMesh, bad)));
      expect(after.refusals).toEqual([]);
      expect(after.statuses.every(({ inForce }) => inForce === "newest")).toBe(true);
    }),
    { numRuns: 500 },
  );
});
