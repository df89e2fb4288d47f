// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import { backendPolicy, checkPolicy } from "./backend-policy.ts";
import { defineKind } from "./define-kind.ts";
import { coded, isAddress, port, unsupported } from "./field-schemas.ts";
import { meshApiVersion } from "./metadata.ts";

/** Where datagrams or connections go. */
export interface BackendEndpoint {
  /** An IP address, or a name that proxies look up. */
  readonly address: string;
  readonly port: number;
}

/** RFC 1123 section 2.1; the last label is no number, or a mistyped address would be a name. */
const HOSTNAME =
  /^(?=.{1,253}$)(?!(.*\.)?\d+$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

const endpoint = z.strictObject({
  address: z
    .custom<string>(
      (value) => typeof value === "string" && isAddress(value),
      coded("MSM_BACKEND_ADDRESS", "must be an IPv4 or IPv6 address; write a DNS name as hostname"),
    )
    .optional(),
  hostname: z
    .string()
    .refine(
      (value) => HOSTNAME.test(value),
      coded("MSM_BACKEND_HOSTNAME", "must be a DNS name in lower case, without a dot at its end"),
    )
    .optional(),
  port,
});

/** Endpoints written out by hand: the easy way on disk. An empty list is a backend that is away. */
export const backend = defineKind({
  kind: "Backend",
  apiVersions: [meshApiVersion],
  shape: {
    spec: z.strictObject({
      endpoints: z.array(endpoint).max(1000),
      policy: backendPolicy.optional(),
      hostname: unsupported("write it at an endpoint: `endpoints: [{ hostname: NAME, port: 5004 }]`"),
    }),
  },
  build({ id, document, refuse }) {
    const endpoints: BackendEndpoint[] = [];
    const seen = new Set<string>();
    for (const [index, { address, hostname, port }] of document.spec.endpoints.entries()) {
      const path = ["spec", "endpoints", index];
      const host = address ?? hostname;
      if (host === undefined || (address !== undefined && hostname !== undefined)) {
        refuse("MSM_BACKEND_ADDRESS", path, "must have either an address or a hostname");
        continue;
      }
      const key = `${host} ${port}`;
      if (seen.has(key)) refuse("MSM_BACKEND_DUPLICATE", path, `${key} is listed twice; remove one`);
      seen.add(key);
      endpoints.push({ address: host, port });
    }
    const { policy } = document.spec;
    if (policy !== undefined) checkPolicy(policy, ["spec", "policy"], refuse);
    return { id, endpoints, policy };
  },
});
