// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import { atLeastAMillisecond, silence } from "./policy-durations.ts";

const hosts = z.int().min(1).max(1000).default(5);

/** What takes an endpoint out for a while: errors in a row, rates of failure, silence, loss and jitter. */
export const outlierPolicy = z.strictObject({
  errors: z.int().min(1).max(1000).default(5),
  interval: atLeastAMillisecond.default(10_000),
  ejectionTime: atLeastAMillisecond.default(30_000),
  maxEjectionPercent: z.int().min(0).max(100).default(10),
  /** Results much worse than those of the other endpoints. */
  successRate: z
    .strictObject({
      minimumHosts: hosts,
      requestVolume: z.int().min(1).max(1_000_000).default(100),
      /** Standard deviations below the mean. */
      deviations: z.number().min(0.1).max(100).default(1.9),
    })
    .optional(),
  /** Too many failures, whatever the other endpoints do. */
  failurePercentage: z
    .strictObject({
      threshold: z.int().min(1).max(100).default(85),
      minimumHosts: hosts,
      requestVolume: z.int().min(1).max(1_000_000).default(50),
    })
    .optional(),
  responseSilence: silence.optional(),
  streamSilence: silence.optional(),
  /** Percent of the RTP packets. */
  maxLoss: z.number().gt(0).max(100).optional(),
  /** RFC 3550 interarrival jitter. */
  maxJitter: atLeastAMillisecond.optional(),
});

export type OutlierPolicy = Readonly<z.output<typeof outlierPolicy>>;
