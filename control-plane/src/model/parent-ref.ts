// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import { port } from "./field-schemas.ts";
import { dnsName, gatewayGroup } from "./metadata.ts";

/** The Gateway, and which of its listeners, that a route attaches to. */
export interface ParentRef {
  readonly namespace: string;
  readonly name: string;
  readonly sectionName: string | undefined;
  readonly port: number | undefined;
}

const parentRef = z.strictObject({
  group: z.literal(gatewayGroup).default(gatewayGroup),
  kind: z.literal("Gateway").default("Gateway"),
  namespace: dnsName.optional(),
  name: dnsName,
  sectionName: dnsName.optional(),
  port: port.optional(),
});

/** `spec.parentRefs` of a route. */
export const parentRefs = z.array(parentRef).min(1).max(32);

/** Reads the parents of a route; without a namespace they are in the route's own. */
export function readParents(refs: z.output<typeof parentRefs>, namespace: string): readonly ParentRef[] {
  return refs.map((ref) => ({
    namespace: ref.namespace ?? namespace,
    name: ref.name,
    sectionName: ref.sectionName,
    port: ref.port,
  }));
}
