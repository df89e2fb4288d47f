// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { ResourceStatus } from "../mesh/resource-status.ts";
import type { StoreState } from "../mesh/resource-store.ts";
import { keyOf, type Refusal } from "../refusal.ts";
import type { ResourceEntry } from "../snapshot/resource-entry.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { certificateCondition } from "./certificate-condition.ts";
import { type Condition, type Outcome, programmedCondition } from "./programming.ts";
import { resolvedRefsCondition } from "./resolved-refs.ts";

/** One resource as `/debug/resources` shows it. */
export interface ResourceReport {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly inForce: ResourceStatus["inForce"];
  readonly conditions: readonly Condition[];
  readonly refusals: readonly Refusal[];
}

/** A group's snapshot, and what its connected proxies did with entries of it. */
export interface GroupProgress {
  readonly snapshot: Snapshot;
  outcomes(entries: readonly ResourceEntry[]): readonly Outcome[];
}

/** Everything that the files hold and what became of it. */
export function resourceReport(
  state: StoreState,
  groups: readonly GroupProgress[],
  nowMs: number = Date.now(),
): readonly ResourceReport[] {
  const entriesByOrigin = groups.map(({ snapshot }) => indexByOrigin(snapshot));
  return state.statuses.map((status) => {
    const key = keyOf(status.id);
    const entries = entriesByOrigin.map((index) => index.get(key) ?? []);
    const outcomes = groups.flatMap((group, index) => group.outcomes(entries[index]!));
    return {
      ...status.id,
      file: status.file,
      line: status.line,
      inForce: status.inForce,
      conditions: [
        acceptedCondition(status),
        ...resolvedRefsCondition(status),
        ...certificateCondition(status.id, state.mesh, nowMs),
        programmedCondition(entries.flat().length, outcomes),
      ],
      refusals: status.refusals,
    };
  });
}

function indexByOrigin(snapshot: Snapshot): ReadonlyMap<string, readonly ResourceEntry[]> {
  const index = new Map<string, ResourceEntry[]>();
  for (const set of snapshot.types.values()) {
    for (const entry of set.values()) {
      for (const origin of entry.origins) {
        const known = index.get(origin);
        if (known === undefined) index.set(origin, [entry]);
        else known.push(entry);
      }
    }
  }
  return index;
}

function acceptedCondition({ refusals, isDeleted, inForce }: ResourceStatus): Condition {
  const type = "Accepted";
  if (isDeleted) {
    return {
      type,
      status: "False",
      reason: "Deleted",
      message: "gone, but stays while another resource needs it",
    };
  }
  const [first] = refusals;
  if (first === undefined && inForce === "previous") {
    const message = "its previous form stays in force because another resource needs it";
    return { type, status: "False", reason: "NeededAsBefore", message };
  }
  if (first === undefined) return { type, status: "True", reason: "Accepted", message: "" };
  const kept = inForce === "none" ? "nothing of it is in force" : "its previous form stays in force";
  return { type, status: "False", reason: first.code, message: `${first.field}: ${first.message}; ${kept}` };
}
