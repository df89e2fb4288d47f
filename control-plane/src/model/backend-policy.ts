// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import { parseDuration } from "./duration.ts";
import { port } from "./field-schemas.ts";

/** A duration of the Gateway API as milliseconds, within limits. */
function duration(leastMs: number, mostMs: number, range: string) {
  const isWithin = (ms: number | undefined): boolean => ms !== undefined && ms >= leastMs && ms <= mostMs;
  return z
    .string()
    .refine((text) => isWithin(parseDuration(text)), { error: `must be a duration ${range}, such as "10s"` })
    .transform((text) => parseDuration(text) ?? 0);
}

const upToADay = duration(0, 86_400_000, "of at most 24h");
const atLeastAMillisecond = duration(1, 86_400_000, "from 1ms to 24h");
// Proxies look at their counters every 100 ms.
const silence = duration(200, 86_400_000, "from 200ms to 24h");

/** How the endpoints of a Backend are chosen, checked and left: `spec.policy`. What is not said is Envoy's default. */
export const backendPolicy = z.strictObject({
  balancing: z.enum(["RoundRobin", "LeastRequest", "Random"]).default("RoundRobin"),
  /** For how long an endpoint that is taken out keeps its sessions. */
  drainLinger: upToADay.optional(),
  /** A TCP connection to this port of each endpoint. */
  healthCheck: z
    .strictObject({
      port,
      interval: atLeastAMillisecond.default(2000),
      timeout: atLeastAMillisecond.default(1000),
      unhealthyThreshold: z.int().min(1).max(100).default(3),
      healthyThreshold: z.int().min(1).max(100).default(1),
    })
    .optional(),
  /** Errors in a row, and silence, that take an endpoint out for a while. */
  outlierDetection: z
    .strictObject({
      errors: z.int().min(1).max(1000).default(5),
      ejectionTime: atLeastAMillisecond.default(30_000),
      maxEjectionPercent: z.int().min(0).max(100).default(10),
      responseSilence: silence.optional(),
      streamSilence: silence.optional(),
    })
    .optional(),
});

/** The same after every check; durations are in milliseconds. */
export type BackendPolicy = Readonly<z.output<typeof backendPolicy>>;
