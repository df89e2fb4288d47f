// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import { defineKind } from "./define-kind.ts";
import { dnsName, gatewayGroup } from "./metadata.ts";

/** Lets routes and Gateways of another namespace refer to Services and Backends, Secrets and ConfigMaps of this one. */
export const referenceGrant = defineKind({
  kind: "ReferenceGrant",
  apiVersions: [`${gatewayGroup}/v1`, `${gatewayGroup}/v1beta1`],
  shape: {
    spec: z.strictObject({
      from: z.array(z.strictObject({ group: z.string(), kind: z.string(), namespace: dnsName })).min(1),
      to: z.array(z.strictObject({ group: z.string(), kind: z.string(), name: dnsName.optional() })).min(1),
    }),
  },
  build: ({ id, document }) => ({ id, from: document.spec.from, to: document.spec.to }),
});
