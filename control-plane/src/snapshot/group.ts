// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Profile } from "../translate/translate-mesh.ts";

/** What a proxy says of itself that decides which snapshot it gets. */
export interface NodeIdentity {
  readonly id: string;
  readonly userAgentName: string;
}

/** A set of proxies that share one snapshot. */
export interface Group {
  readonly name: string;
  readonly profile: Profile;
}

/** Every group. All proxies serve all Gateways; they differ only in what they understand. */
export const groups: readonly Group[] = [
  { name: "mesh", profile: "msm" },
  { name: "mesh-envoy", profile: "envoy" },
];

/** The one place that says which snapshot a proxy gets. */
export function groupOf(node: NodeIdentity): Group {
  return node.userAgentName === "msm-proxy" ? groups[0]! : groups[1]!;
}
