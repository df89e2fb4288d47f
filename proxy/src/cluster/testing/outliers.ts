// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { EndpointConduct } from "../outlier-detector.ts";
import type { OutlierPlan } from "../outlier-plan.ts";

const always = (limit: number) => ({ limit, enforcing: 100 });
const never = { limit: 1, enforcing: 0 };
const enforcing = { external: 100, local: 100 };

/** Outlier detection in which errors in a row count, and rates from few results on. */
export function outlierPlan(errors: number, changes: Partial<OutlierPlan> = {}): OutlierPlan {
  const isLooking = errors > 0;
  return {
    consecutive: {
      isSplit: false,
      serverErrors: isLooking ? always(errors) : never,
      gatewayErrors: never,
      localErrors: never,
    },
    successRate: { minimumHosts: 3, requestVolume: 10, deviations: 1.3, enforcing },
    failurePercentage: { minimumHosts: 3, requestVolume: 10, threshold: 85, enforcing },
    ...{ baseEjectionMs: 1000, longestEjectionMs: 1000, ejectionJitterMs: 0 },
    ...{ maxEjectionPercent: 50, intervalMs: 10_000 },
    ...changes,
  };
}

/** An endpoint of which nothing is known but this. */
export function conduct(changes: Partial<EndpointConduct>): EndpointConduct {
  return {
    ...{ errors: 0, receivedDatagrams: 0, sentDatagrams: 0, sessionsActive: 0 },
    ...{ successes: 0, serverErrors: 0, connectFailures: 0, verdicts: 0 },
    ...changes,
  };
}
