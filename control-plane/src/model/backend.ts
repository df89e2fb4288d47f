// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import { defineKind } from "./define-kind.ts";
import { coded, isAddress, port, unsupported } from "./field-schemas.ts";
import { meshApiVersion } from "./metadata.ts";

/** An address and a UDP port that takes datagrams. */
export interface BackendEndpoint {
  readonly address: string;
  readonly port: number;
}

const endpoint = z.strictObject({
  address: z.custom<string>(
    (value) => typeof value === "string" && isAddress(value),
    coded("MSM_BACKEND_ADDRESS", "must be an IPv4 or IPv6 address; DNS names are not served yet"),
  ),
  port,
});

/** Endpoints written out by hand: the easy way on disk. An empty list is a backend that is away. */
export const backend = defineKind({
  kind: "Backend",
  apiVersions: [meshApiVersion],
  shape: {
    spec: z.strictObject({
      endpoints: z.array(endpoint).max(1000),
      hostname: unsupported("DNS names are not served yet; list the addresses as endpoints"),
    }),
  },
  build({ id, document, refuse }) {
    const endpoints: readonly BackendEndpoint[] = document.spec.endpoints;
    const seen = new Set<string>();
    for (const [index, { address, port }] of endpoints.entries()) {
      const key = `${address} ${port}`;
      if (seen.has(key)) {
        refuse("MSM_BACKEND_DUPLICATE", ["spec", "endpoints", index], `${key} is listed twice; remove one`);
      }
      seen.add(key);
    }
    return { id, endpoints };
  },
});
