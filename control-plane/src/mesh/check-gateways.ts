// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { isIP } from "node:net";
import type { Model } from "../model/index.ts";
import { keyOf } from "../refusal.ts";
import { isOurs } from "./attachment.ts";
import type { Mesh } from "./mesh.ts";
import type { MeshProblem } from "./mesh-problem.ts";

interface Bound {
  readonly address: string;
  readonly owner: string;
}

/** Finds Gateways without a class, and listeners of ours that want a port which an earlier one has. */
export function checkGateways(mesh: Mesh): MeshProblem[] {
  const problems: MeshProblem[] = [];
  const boundByPort = new Map<string, Bound[]>();
  for (const gateway of mesh.Gateway.values()) {
    const classKey = keyOf({ kind: "GatewayClass", namespace: "", name: gateway.className });
    if (!mesh.GatewayClass.has(classKey)) {
      problems.push({
        resource: gateway,
        code: "MSM_GATEWAY_CLASS_NOT_FOUND",
        path: ["spec", "gatewayClassName"],
        message: `there is no GatewayClass "${gateway.className}"; add it or correct the name`,
        needs: classKey,
      });
    } else if (isOurs(gateway, mesh)) {
      problems.push(...bindListeners(gateway, boundByPort));
    }
  }
  return problems;
}

function bindListeners(gateway: Model<"Gateway">, boundByPort: Map<string, Bound[]>): MeshProblem[] {
  const problems: MeshProblem[] = [];
  const wanted: [string, Bound][] = [];
  for (const [index, { name, port, transport }] of gateway.listeners.entries()) {
    const owner = `${gateway.id.namespace}/${gateway.id.name}/${name}`;
    const socket = `${transport} ${port}`;
    const taken = boundByPort
      .get(socket)
      ?.find((bound) => gateway.addresses.some((address) => overlaps(address, bound.address)));
    if (taken !== undefined) {
      problems.push({
        resource: gateway,
        code: "MSM_GATEWAY_PORT_CONFLICT",
        path: ["spec", "listeners", index, "port"],
        message: `${port} is taken by listener ${taken.owner}; choose another port or address`,
      });
    }
    for (const address of gateway.addresses) wanted.push([socket, { address, owner }]);
  }
  // A refused Gateway takes nothing: those after it are checked as if it were not there.
  if (problems.length > 0) return problems;
  for (const [socket, bound] of wanted) boundByPort.set(socket, [...(boundByPort.get(socket) ?? []), bound]);
  return problems;
}

// The unspecified address stands for every address of its family (RFC 4291 section 2.5.2).
function overlaps(left: string, right: string): boolean {
  if (isIP(left) !== isIP(right)) return false;
  const isUnspecified = (address: string): boolean => address === "0.0.0.0" || /^[0:]+$/.test(address);
  return left === right || isUnspecified(left) || isUnspecified(right);
}
