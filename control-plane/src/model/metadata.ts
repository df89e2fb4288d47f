// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import { didYouMean } from "../nearest-word.ts";
import type { Refuse } from "./problem.ts";

/** The domain of our API group, annotations and controller name. */
export const meshDomain = "mediastreamingmesh.io";

/** API group and version of our own kinds. */
export const meshApiVersion = `${meshDomain}/v1alpha1`;

/** API group of the Gateway API. */
export const gatewayGroup = "gateway.networking.k8s.io";

/** A Kubernetes object name: a DNS subdomain (RFC 1123), at most 253 characters. */
export const dnsName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/, {
    error: "must be a DNS name: lower-case letters, digits, '-' and '.'",
  });

/** `metadata` as every kind has it; what a Kubernetes API server adds is accepted and not used. */
export const metadata = z.strictObject({
  name: dnsName,
  namespace: dnsName.optional(),
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  uid: z.unknown().optional(),
  resourceVersion: z.unknown().optional(),
  generation: z.unknown().optional(),
  creationTimestamp: z.unknown().optional(),
  deletionTimestamp: z.unknown().optional(),
  deletionGracePeriodSeconds: z.unknown().optional(),
  managedFields: z.unknown().optional(),
  ownerReferences: z.unknown().optional(),
  finalizers: z.unknown().optional(),
  generateName: z.unknown().optional(),
  selfLink: z.unknown().optional(),
});

/** The checked `metadata` of a resource. */
export type Metadata = z.output<typeof metadata>;

/** Refuses annotations of our domain that the kind does not know; others are somebody else's. */
export function checkAnnotations(from: Metadata, known: readonly string[], refuse: Refuse): void {
  for (const name of Object.keys(from.annotations ?? {})) {
    if (!name.startsWith(`${meshDomain}/`) || known.includes(name)) continue;
    const hint = known.length === 0 ? " This kind has none." : didYouMean(name, known);
    refuse("MSM_ANNOTATION_UNKNOWN", ["metadata", "annotations", name], `unknown annotation.${hint}`);
  }
}
