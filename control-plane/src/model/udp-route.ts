// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import { defineKind } from "./define-kind.ts";
import { coded, port, unsupported } from "./field-schemas.ts";
import { idleTimeoutAnnotation, readIdleTimeout } from "./idle-timeout.ts";
import { dnsName, gatewayGroup, meshDomain } from "./metadata.ts";
import type { Refuse } from "./problem.ts";

/** The Gateway, and which of its listeners, that a route attaches to. */
export interface ParentRef {
  readonly namespace: string;
  readonly name: string;
  readonly sectionName: string | undefined;
  readonly port: number | undefined;
}

/** Where the datagrams of a route go. */
export interface BackendRef {
  readonly kind: "Service" | "Backend";
  readonly namespace: string;
  readonly name: string;
  readonly port: number | undefined;
  /** Its share of new sessions relative to the others of the route; 0 takes none and keeps those that it has. */
  readonly weight: number;
  /** The reference's place in the route, for messages. */
  readonly index: number;
}

const parentRef = z.strictObject({
  group: z.literal(gatewayGroup).default(gatewayGroup),
  kind: z.literal("Gateway").default("Gateway"),
  namespace: dnsName.optional(),
  name: dnsName,
  sectionName: dnsName.optional(),
  port: port.optional(),
});

const backendRef = z.strictObject({
  group: z.string().default(""),
  kind: z.string().default("Service"),
  namespace: dnsName.optional(),
  name: dnsName,
  port: port.optional(),
  weight: z.int().min(0).max(1_000_000).default(1),
});

const rule = z.strictObject({
  name: dnsName.optional(),
  backendRefs: z.array(backendRef).max(16).default([]),
});

/** Sends what arrives at Gateway listeners to a Service or a Backend. */
export const udpRoute = defineKind({
  kind: "UDPRoute",
  apiVersions: [`${gatewayGroup}/v1`, `${gatewayGroup}/v1alpha2`],
  annotations: [idleTimeoutAnnotation],
  shape: {
    spec: z.strictObject({
      parentRefs: z.array(parentRef).min(1).max(32),
      rules: z
        .array(rule)
        .min(1)
        .refine((rules) => rules.length <= 1, coded("MSM_ROUTE_RULES", "must be one rule")),
      useDefaultGateways: unsupported("default Gateways are not served; name the Gateway in parentRefs"),
    }),
  },
  build({ id, metadata, document, refuse }) {
    const { parentRefs, rules } = document.spec;
    return {
      id,
      parents: parentRefs.map(
        (ref): ParentRef => ({
          namespace: ref.namespace ?? id.namespace,
          name: ref.name,
          sectionName: ref.sectionName,
          port: ref.port,
        }),
      ),
      backends: readBackends(rules[0]!.backendRefs, id.namespace, refuse),
      idleTimeoutMs: readIdleTimeout(metadata, refuse),
    };
  },
});

type WrittenRef = z.output<typeof backendRef>;
const refsPath = ["spec", "rules", 0, "backendRefs"] as const;

function readBackends(refs: readonly WrittenRef[], namespace: string, refuse: Refuse): readonly BackendRef[] {
  if (!refs.some(({ weight }) => weight > 0)) {
    refuse("MSM_ROUTE_NO_BACKENDS", refsPath, "must name a backend with a weight above 0");
  }
  const backends = refs.flatMap((ref, index) => readBackend(ref, index, namespace, refuse));
  const seen = new Map<string, number>();
  for (const { kind, namespace: place, name, port, index } of backends) {
    const key = `${kind} ${place}/${name}${port === undefined ? "" : `:${port}`}`;
    if (seen.has(key)) {
      const message = `${key} is already backendRefs[${seen.get(key)}]; add up their weights in one`;
      refuse("MSM_ROUTE_BACKEND_DUPLICATE", [...refsPath, index], message);
    }
    seen.set(key, index);
  }
  return backends;
}

function readBackend(
  ref: WrittenRef,
  index: number,
  namespace: string,
  refuse: Refuse,
): readonly BackendRef[] {
  const kind = backendKind(ref);
  if (kind === undefined) {
    const message = `must be a Service, or a Backend of group ${meshDomain}, not "${ref.group}/${ref.kind}"`;
    refuse("MSM_ROUTE_BACKEND_KIND", [...refsPath, index, "kind"], message);
    return [];
  }
  if (kind === "Service" && ref.port === undefined) {
    refuse("MSM_FIELD_MISSING", [...refsPath, index, "port"], "is required for a Service");
  }
  const { name, port, weight } = ref;
  return [{ kind, namespace: ref.namespace ?? namespace, name, port, weight, index }];
}

function backendKind(ref: WrittenRef): BackendRef["kind"] | undefined {
  if (ref.kind === "Service" && ref.group === "") return "Service";
  if (ref.kind === "Backend" && ref.group === meshDomain) return "Backend";
  return undefined;
}
