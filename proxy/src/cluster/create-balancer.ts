// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { BalancingPlan } from "./balancing-plan.ts";
import { type BalancedEndpoint, type Balancer, LoadBalancer } from "./load-balancer.ts";
import type { PickerWorld } from "./picker.ts";
import { SubsetBalancer } from "./subset-balancer.ts";

/** Makes what chooses among the endpoints of a cluster. */
export function createBalancer(
  plan: BalancingPlan,
  endpoints: readonly BalancedEndpoint[],
  world: PickerWorld,
): Balancer {
  return plan.subsets === undefined
    ? new LoadBalancer(plan, endpoints, world)
    : new SubsetBalancer(plan, plan.subsets, endpoints, world);
}
