// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { typeUrls } from "@msm/xds-protos";
import type { DeltaDiscoveryRequest } from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { canonicalName, globOf } from "../snapshot/resource-name.ts";
import { encodeDeltaResponse } from "./encode-response.ts";
import { type Protocol, TTL_FEATURE } from "./protocol.ts";
import type { Subscription } from "./subscription.ts";
import { takeBytes } from "./take-bytes.ts";

/** The incremental variant (xds_protocol.rst, "Incremental xDS"). */
export const deltaProtocol: Protocol<DeltaDiscoveryRequest> = {
  honoursStale: true,
  announcesRemoval: () => true,
  head: (request) => ({
    node: request.node,
    typeUrl: request.typeUrl,
    nonce: request.responseNonce,
    error: request.errorDetail?.message,
    names: request.resourceNamesSubscribe,
    nameCount: request.resourceNamesSubscribe.length + Object.keys(request.initialResourceVersions).length,
  }),
  usesTtl: (features) => features.includes(TTL_FEATURE),
  heartbeatsWhole: () => false,
  subscribe,
  compose(subscription, pending, snapshot, canRemove) {
    const entries = takeBytes(pending.upserts);
    const isPartial = entries.length < pending.upserts.length;
    const removable = pending.removals.filter((name) => canRemove || !subscription.held.has(name));
    const removed = isPartial ? [] : announced(subscription, removable);
    if (entries.length === 0 && removed.length === 0 && !subscription.mustReply) return undefined;
    return { version: snapshot.version, entries, removed, isPartial };
  },
  encode: encodeDeltaResponse,
};

function subscribe(subscription: Subscription, request: DeltaDiscoveryRequest, isFirst: boolean): void {
  const added = new Set(request.resourceNamesSubscribe.map(canonicalName));
  const removed = new Set(request.resourceNamesUnsubscribe.map(canonicalName));
  const saysNothing = added.size === 0 && removed.size === 0;
  if (added.has("*") || (isFirst && saysNothing && subscription.isWhole)) subscription.setWildcard(true);
  if (isFirst) adoptVersions(subscription, request, added);
  for (const name of added) {
    if (name === "*") continue;
    const isHeld = isFirst && subscription.held.has(name);
    if (isHeld) subscription.names.add(name);
    else subscription.add(name);
  }
  for (const name of removed) if (name !== "*") subscription.remove(name);
  if (removed.has("*")) subscription.setWildcard(false);
}

// Only the first request of a type may say what the client has from before. What it does not ask for does not count.
function adoptVersions(
  subscription: Subscription,
  request: DeltaDiscoveryRequest,
  added: ReadonlySet<string>,
): void {
  for (const [text, version] of Object.entries(request.initialResourceVersions)) {
    const name = canonicalName(text);
    if (subscription.isWildcard || added.has(name) || added.has(globOf(name)))
      subscription.adopt(name, version);
  }
}

// Envoy does not wait for a filter that was never there to be removed, and drops the one it has if told so; a
// filter's removal therefore is announced only to those who hold it.
function announced(subscription: Subscription, removals: readonly string[]): readonly string[] {
  if (subscription.typeUrl !== typeUrls.typedExtensionConfig) return removals;
  return removals.filter((name) => subscription.held.has(name));
}
