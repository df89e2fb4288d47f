// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import { backendPolicy, checkPolicy } from "./backend-policy.ts";
import { defineKind } from "./define-kind.ts";
import { dnsName, meshApiVersion } from "./metadata.ts";

const targetRef = z.strictObject({
  group: z.literal("").default(""),
  kind: z.literal("Service").default("Service"),
  name: dnsName,
});

/** Says for Services of its namespace what a Backend says of itself: how endpoints are chosen, checked and left. */
export const servicePolicy = defineKind({
  kind: "ServicePolicy",
  apiVersions: [meshApiVersion],
  shape: {
    spec: z.strictObject({
      targetRefs: z.array(targetRef).min(1).max(16),
      policy: backendPolicy,
    }),
  },
  build({ id, document, refuse }) {
    const { targetRefs, policy } = document.spec;
    checkPolicy(policy, ["spec", "policy"], refuse);
    return { id, services: targetRefs.map(({ name }) => name), policy };
  },
});
