// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { create, typeUrls } from "@msm/xds-protos";
import { ClusterLoadAssignmentSchema } from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import type { DiscoveryRequest } from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { createEntry, type ResourceEntry } from "../snapshot/resource-entry.ts";
import { canonicalName } from "../snapshot/resource-name.ts";
import { resourcesOf, type Snapshot, setVersion, versionOf } from "../snapshot/snapshot.ts";
import { encodeSotwResponse } from "./encode-response.ts";
import { type Pending, wanted } from "./pending.ts";
import { type Content, type Protocol, TTL_FEATURE } from "./protocol.ts";
import type { Subscription } from "./subscription.ts";
import { takeBytes } from "./take-bytes.ts";

// In state of the world a time to live has its place in a wrapper, of which clients say that they know it. The
// documentation has the first name; gRPC sends the second.
const WRAPPING_FEATURES = ["xds.config.supports-resource-in-sotw", "xds.config.resource-in-sotw"];

/** The "state of the world" variant: listeners and clusters whole, other types in parts. */
export const sotwProtocol: Protocol<DiscoveryRequest> = {
  honoursStale: false,
  announcesRemoval: (subscription) => subscription.isWhole,
  head: (request) => ({
    node: request.node,
    typeUrl: request.typeUrl,
    nonce: request.responseNonce,
    error: request.errorDetail?.message,
    names: request.resourceNames,
    nameCount: request.resourceNames.length,
  }),
  usesTtl: (features) =>
    features.includes(TTL_FEATURE) && WRAPPING_FEATURES.some((name) => features.includes(name)),
  heartbeatsWhole: (subscription) => subscription.isWhole,
  subscribe,
  compose: (subscription, pending, snapshot, canRemove) =>
    subscription.isWhole
      ? composeWhole(subscription, pending, snapshot, canRemove)
      : composePart(subscription, pending, snapshot),
  encode: encodeSotwResponse,
};

// A request lists all names that are wanted from now on. No names at all are a wildcard only as long as the client
// has never named any.
function subscribe(subscription: Subscription, request: DiscoveryRequest, isFirst: boolean): void {
  const names = new Set(request.resourceNames.map(canonicalName));
  if (isFirst && names.size === 0) {
    if (subscription.isWhole) subscription.setWildcard(true);
    return;
  }
  const keepsLegacyWildcard = names.size === 0 && subscription.isWildcard && !subscription.names.has("*");
  if (keepsLegacyWildcard && subscription.names.size === 0) return;
  for (const name of [...subscription.names]) if (!names.has(name)) subscription.remove(name);
  for (const name of names) if (name !== "*" && !subscription.names.has(name)) subscription.add(name);
  const hasStar = names.has("*");
  if (hasStar !== subscription.isWildcard) subscription.setWildcard(hasStar);
  // Remembered as a name, an explicit wildcard can be told from the legacy one.
  if (hasStar) subscription.names.add("*");
}

function composeWhole(
  subscription: Subscription,
  { upserts, removals }: Pending,
  snapshot: Snapshot,
  canRemove: boolean,
): Content | undefined {
  const retained = canRemove ? [] : removals.flatMap((name) => subscription.held.get(name)?.entry ?? []);
  const removed = canRemove ? removals : removals.filter((name) => !subscription.held.has(name));
  if (upserts.length === 0 && removed.length === 0 && !subscription.mustReply) return undefined;
  const present = wanted(subscription, snapshot);
  if (retained.length === 0) {
    return { version: visibleVersion(subscription, snapshot), entries: present, removed, isPartial: false };
  }
  const entries = [...present, ...retained];
  return { version: setVersion(entries), entries, removed, isPartial: false };
}

// What is gone is not mentioned: the resource that named it is gone too. A client that asks for endpoints which
// nobody knows gets an empty set, or it would wait for them.
function composePart(
  subscription: Subscription,
  { upserts, removals }: Pending,
  snapshot: Snapshot,
): Content | undefined {
  const isEndpoints = subscription.typeUrl === typeUrls.clusterLoadAssignment;
  const unknown = isEndpoints ? removals.map(noEndpoints) : [];
  // The list of changes itself: it is the same for all streams, and so are its bytes.
  const all = unknown.length === 0 ? upserts : [...unknown, ...upserts];
  const entries = takeBytes(all);
  if (entries.length === 0 && !subscription.mustReply) return undefined;
  const version = visibleVersion(subscription, snapshot);
  return { version, entries, removed: removals, isPartial: entries.length < all.length };
}

// The version of what a subscription wants; most want all that there is, of which it is known.
function visibleVersion(subscription: Subscription, snapshot: Snapshot): string {
  const resources = resourcesOf(snapshot, subscription.typeUrl);
  const entries = wanted(subscription, snapshot);
  return entries.length === resources.size ? versionOf(resources) : setVersion(entries);
}

function noEndpoints(name: string): ResourceEntry {
  return createEntry(
    ClusterLoadAssignmentSchema,
    name,
    create(ClusterLoadAssignmentSchema, { clusterName: name }),
  );
}
