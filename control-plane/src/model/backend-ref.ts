// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import type { FieldPath } from "../refusal.ts";
import { port } from "./field-schemas.ts";
import { dnsName, meshDomain } from "./metadata.ts";
import type { Refuse } from "./problem.ts";

/** Where what comes by a route goes. */
export interface BackendRef {
  readonly kind: "Service" | "Backend";
  readonly namespace: string;
  readonly name: string;
  readonly port: number | undefined;
  /** Its share of new sessions relative to the others of the rule; 0 takes none and keeps those that it has. */
  readonly weight: number;
  /** The reference's place in the route, for messages. */
  readonly path: FieldPath;
}

const backendRef = z.strictObject({
  group: z.string().default(""),
  kind: z.string().default("Service"),
  namespace: dnsName.optional(),
  name: dnsName,
  port: port.optional(),
  weight: z.int().min(0).max(1_000_000).default(1),
});

/** `backendRefs` of a rule. */
export const backendRefs = z.array(backendRef).max(16).default([]);

type WrittenRef = z.output<typeof backendRef>;

/** Reads the backends of a rule whose `backendRefs` stand at `path`; without a namespace they are in the route's. */
export function readBackends(
  refs: readonly WrittenRef[],
  path: FieldPath,
  namespace: string,
  refuse: Refuse,
): readonly BackendRef[] {
  if (!refs.some(({ weight }) => weight > 0)) {
    refuse("MSM_ROUTE_NO_BACKENDS", path, "must name a backend with a weight above 0");
  }
  const backends = refs.flatMap((ref, index) => readBackend(ref, [...path, index], namespace, refuse));
  const seen = new Map<string, FieldPath>();
  for (const { kind, namespace: place, name, port, path: at } of backends) {
    const key = `${kind} ${place}/${name}${port === undefined ? "" : `:${port}`}`;
    const first = seen.get(key);
    if (first === undefined) seen.set(key, at);
    else {
      const message = `${key} is already backendRefs[${first.at(-1)}]; add up their weights in one`;
      refuse("MSM_ROUTE_BACKEND_DUPLICATE", at, message);
    }
  }
  return backends;
}

function readBackend(
  ref: WrittenRef,
  path: FieldPath,
  namespace: string,
  refuse: Refuse,
): readonly BackendRef[] {
  const kind = backendKind(ref);
  if (kind === undefined) {
    const message = `must be a Service, or a Backend of group ${meshDomain}, not "${ref.group}/${ref.kind}"`;
    refuse("MSM_ROUTE_BACKEND_KIND", [...path, "kind"], message);
    return [];
  }
  if (kind === "Service" && ref.port === undefined) {
    refuse("MSM_FIELD_MISSING", [...path, "port"], "is required for a Service");
  }
  const { name, port, weight } = ref;
  return [{ kind, namespace: ref.namespace ?? namespace, name, port, weight, path }];
}

function backendKind(ref: WrittenRef): BackendRef["kind"] | undefined {
  if (ref.kind === "Service" && ref.group === "") return "Service";
  if (ref.kind === "Backend" && ref.group === meshDomain) return "Backend";
  return undefined;
}
