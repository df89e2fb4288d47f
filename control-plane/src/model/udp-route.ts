// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import { backendRefs, readBackends } from "./backend-ref.ts";
import { defineKind } from "./define-kind.ts";
import { coded, unsupported } from "./field-schemas.ts";
import { idleTimeoutAnnotation, readIdleTimeout } from "./idle-timeout.ts";
import { dnsName, gatewayGroup } from "./metadata.ts";
import { parentRefs, readParents } from "./parent-ref.ts";

const rule = z.strictObject({ name: dnsName.optional(), backendRefs });

/** Sends what arrives at Gateway listeners to a Service or a Backend. */
export const udpRoute = defineKind({
  kind: "UDPRoute",
  apiVersions: [`${gatewayGroup}/v1`, `${gatewayGroup}/v1alpha2`],
  annotations: [idleTimeoutAnnotation],
  shape: {
    spec: z.strictObject({
      parentRefs,
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
      parents: readParents(parentRefs, id.namespace),
      backends: readBackends(
        rules[0]!.backendRefs,
        ["spec", "rules", 0, "backendRefs"],
        id.namespace,
        refuse,
      ),
      idleTimeoutMs: readIdleTimeout(metadata, refuse),
    };
  },
});
