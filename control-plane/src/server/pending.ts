// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { ResourceEntry } from "../snapshot/resource-entry.ts";
import { changesBetween, NO_CHANGES } from "../snapshot/set-changes.ts";
import { listOf, type ResourceSet, resourcesOf, type Snapshot } from "../snapshot/snapshot.ts";
import { isServed } from "./resource-types.ts";
import type { Subscription } from "./subscription.ts";

/** What a subscription lacks to agree with a snapshot. */
export interface Pending {
  readonly upserts: readonly ResourceEntry[];
  /** Names that the client has and should not, or asks for in vain. */
  readonly removals: readonly string[];
}

/** Compares what a subscription has with what it should have. Pure. */
export function pendingOf(subscription: Subscription, snapshot: Snapshot): Pending {
  const { typeUrl, held, owed, unknown, agreed } = subscription;
  const resources = resourcesOf(snapshot, typeUrl);
  if (agreed !== undefined) return changedSince(agreed, resources, subscription);
  const upserts = wanted(subscription, snapshot).filter(
    ({ name, version }) => owed.has(name) || held.get(name)?.version !== version,
  );
  const removals = new Set<string>();
  // Of a type that nobody ever put into the snapshot we know nothing.
  const isKnown = isServed(typeUrl) || snapshot.types.has(typeUrl) || held.size > unknown.size;
  if (!isKnown) return { upserts, removals: [] };
  for (const name of owed) if (!resources.has(name)) removals.add(name);
  for (const name of held.keys()) {
    if (resources.has(name)) continue;
    const mayBeUnread = unknown.has(name) && !snapshot.isComplete;
    if (mayBeUnread) removals.delete(name);
    else removals.add(name);
  }
  return { upserts, removals: [...removals] };
}

// What a subscription agreed with is compared with what there is now once for all streams.
function changedSince(agreed: ResourceSet, resources: ResourceSet, subscription: Subscription): Pending {
  if (agreed === resources) return NO_CHANGES;
  const { upserts, removals } = changesBetween(agreed, resources);
  const isWanted = ({ name }: ResourceEntry): boolean => subscription.covers(name);
  // The same list for all who want all of it: it is encoded once.
  const isAll = subscription.isWildcard || upserts.every(isWanted);
  return {
    upserts: isAll ? upserts : upserts.filter(isWanted),
    removals: removals.filter((name) => subscription.held.has(name)),
  };
}

/** The resources that a subscription should have. */
export function wanted(subscription: Subscription, snapshot: Snapshot): readonly ResourceEntry[] {
  const resources = resourcesOf(snapshot, subscription.typeUrl);
  if (subscription.isWildcard) return listOf(resources);
  if (subscription.isOpenEnded)
    return [...resources.values()].filter(({ name }) => subscription.covers(name));
  return [...subscription.names].flatMap((name) => resources.get(name) ?? []);
}
