// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import { parseDuration } from "./duration.ts";

/** A duration of the Gateway API as milliseconds, within limits. */
function duration(leastMs: number, mostMs: number, range: string) {
  const isWithin = (ms: number | undefined): boolean => ms !== undefined && ms >= leastMs && ms <= mostMs;
  return z
    .string()
    .refine((text) => isWithin(parseDuration(text)), { error: `must be a duration ${range}, such as "10s"` })
    .transform((text) => parseDuration(text) ?? 0);
}

export const upToADay = duration(0, 86_400_000, "of at most 24h");
export const atLeastAMillisecond = duration(1, 86_400_000, "from 1ms to 24h");
/** Proxies look at their counters every 100 ms. */
export const silence = duration(200, 86_400_000, "from 200ms to 24h");
