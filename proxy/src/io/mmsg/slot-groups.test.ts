// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import { Ring, SLOTS } from "../../datapath/ring.ts";
import { SlotGroups } from "./slot-groups.ts";

test("every slot with a session is in its session's group, in the order in which it came", () => {
  const ring = new Ring();
  const groups = new SlotGroups(ring);
  // Sessions that fall on the same place of the table, and slots that have none.
  const session = fc.oneof(
    fc.constant(-1),
    fc.nat(5),
    fc.nat(3).map((n) => n * 128 + 1),
    fc.nat(30_000),
  );
  fc.assert(
    fc.property(fc.array(session, { maxLength: SLOTS }), fc.nat(SLOTS), (sessions, skipped) => {
      ring.session.set(sessions);
      const first = Math.min(skipped, sessions.length);
      groups.group(first, sessions.length);
      const found = new Map<number, number[]>();
      for (let i = 0; i < groups.count; i++) {
        const slots: number[] = [];
        for (let slot = groups.first[i]!; slot >= 0; slot = groups.next[slot]!) slots.push(slot);
        found.set(sessions[slots[0]!]!, slots);
      }
      expect(found).toEqual(keepFrom(groupSlots(sessions), first));
    }),
  );
});

function groupSlots(sessions: readonly number[]): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const [slot, session] of sessions.entries())
    groups.set(session, [...(groups.get(session) ?? []), slot]);
  return groups;
}

function keepFrom(groups: Map<number, number[]>, first: number): Map<number, number[]> {
  const kept = [...groups].map(
    ([session, slots]) => [session, slots.filter((slot) => slot >= first)] as const,
  );
  return new Map(kept.filter(([session, slots]) => session >= 0 && slots.length > 0));
}
