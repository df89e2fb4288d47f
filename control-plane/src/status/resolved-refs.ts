// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { ResourceStatus } from "../mesh/resource-status.ts";
import type { RefusalCode } from "../refusal-codes.ts";
import type { Condition } from "./programming.ts";

// The Gateway API's reasons for a reference that leads nowhere (RouteConditionReason).
const reasons: Partial<Record<RefusalCode, string>> = {
  MSM_ROUTE_BACKEND_NOT_FOUND: "BackendNotFound",
  MSM_ROUTE_BACKEND_PORT: "BackendNotFound",
  MSM_ROUTE_BACKEND_KIND: "InvalidKind",
  MSM_ROUTE_NOT_GRANTED: "RefNotPermitted",
};

/** Whether all backends of a route in its newest form can be had; nothing for resources that are no route. */
export function resolvedRefsCondition({ id, refusals }: ResourceStatus): readonly Condition[] {
  if (!id.kind.endsWith("Route")) return [];
  const type = "ResolvedRefs";
  for (const { code, field, message } of refusals) {
    const reason = reasons[code];
    if (reason !== undefined) return [{ type, status: "False", reason, message: `${field}: ${message}` }];
  }
  return [{ type, status: "True", reason: "ResolvedRefs", message: "" }];
}
