// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { typeUrls } from "@msm/xds-protos";

// Make before break: what is named comes before what names it (xds_protocol.rst, "Eventual consistency
// considerations"). Types that are not listed come last.
const ORDER: readonly string[] = [
  typeUrls.cluster,
  typeUrls.clusterLoadAssignment,
  typeUrls.listener,
  typeUrls.routeConfiguration,
  typeUrls.secret,
  typeUrls.typedExtensionConfig,
];

const NAMED_BY: ReadonlyMap<string, readonly string[]> = new Map([
  [typeUrls.cluster, [typeUrls.listener, typeUrls.routeConfiguration]],
  [typeUrls.clusterLoadAssignment, [typeUrls.cluster, typeUrls.listener, typeUrls.routeConfiguration]],
  [typeUrls.routeConfiguration, [typeUrls.listener]],
  [typeUrls.secret, [typeUrls.cluster, typeUrls.listener]],
  [typeUrls.typedExtensionConfig, [typeUrls.listener]],
]);

/**
 * The types that come whole: a SotW response holds all that the client wants, so that what it lacks is deleted, and a
 * first request without names asks for everything ("legacy wildcard").
 */
export const wholeTypes: ReadonlySet<string> = new Set([typeUrls.cluster, typeUrls.listener]);

/** Sorts type URLs into the order in which updates of them are sent. */
export function inSendingOrder(types: Iterable<string>): string[] {
  const rank = (typeUrl: string): number => (ORDER.includes(typeUrl) ? ORDER.indexOf(typeUrl) : ORDER.length);
  return [...types].sort((left, right) => rank(left) - rank(right));
}

/** Whether the absence of resources means something even where a snapshot has none of the type. */
export function isServed(typeUrl: string): boolean {
  return ORDER.includes(typeUrl);
}

/** The types whose resources may name one of this type: it is removed only after they stopped. */
export function namingTypes(typeUrl: string): readonly string[] {
  return NAMED_BY.get(typeUrl) ?? [];
}
