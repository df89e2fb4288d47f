// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Model } from "../model/index.ts";
import type { ObjectReference } from "../model/listener-tls.ts";
import { gatewayGroup } from "../model/metadata.ts";
import { keyOf } from "../refusal.ts";
import type { Mesh } from "./mesh.ts";
import type { MeshProblem } from "./mesh-problem.ts";
import { isReferenceGranted } from "./reference-grants.ts";

/** Finds Gateways whose certificates do not exist, may not be used by them, or are none. */
export function checkCertificates(mesh: Mesh): MeshProblem[] {
  return mesh.Gateway.values().flatMap((gateway) =>
    gateway.listeners
      .flatMap(({ tls }) => [tls?.certificate, tls?.clientAuthorities])
      .flatMap((reference) => (reference === undefined ? [] : checkReference(gateway, reference, mesh))),
  );
}

function checkReference(
  gateway: Model<"Gateway">,
  reference: ObjectReference,
  mesh: Mesh,
): readonly MeshProblem[] {
  const { kind, namespace, name, path } = reference;
  const what = `${kind} ${namespace}/${name}`;
  const needs = keyOf({ kind, namespace, name });
  if (!isReferenceGranted({ ...gateway.id, group: gatewayGroup }, { ...reference, group: "" }, mesh)) {
    const message = `namespace ${namespace} does not let Gateways of ${gateway.id.namespace} use it; add a ReferenceGrant`;
    return [{ resource: gateway, code: "MSM_SECRET_NOT_GRANTED", path: [...path, "namespace"], message }];
  }
  if (!mesh[kind].has(needs)) {
    const message = `there is no ${what} in force; add it, or correct it or the name`;
    return [{ resource: gateway, code: "MSM_SECRET_NOT_FOUND", path: [...path, "name"], message, needs }];
  }
  const problem = whyUnusable(reference, mesh);
  if (problem === undefined) return [];
  const message = `${what} ${problem}`;
  return [{ resource: gateway, code: "MSM_SECRET_KIND", path: [...path, "name"], message, needs }];
}

function whyUnusable({ kind, namespace, name }: ObjectReference, mesh: Mesh): string | undefined {
  const key = keyOf({ kind, namespace, name });
  if (kind === "ConfigMap") {
    return mesh.ConfigMap.get(key)?.validity === undefined ? "has no ca.crt; add it" : undefined;
  }
  const secret = mesh.Secret.get(key);
  if (secret?.certificate !== undefined) return undefined;
  return `is of type ${secret?.type}; use one of type kubernetes.io/tls`;
}
