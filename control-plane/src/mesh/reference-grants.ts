// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Mesh } from "./mesh.ts";

/** What refers, or what is referred to. */
interface ReferenceEnd {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Whether a resource may refer to another one: of its own namespace, or by a ReferenceGrant there (Gateway API). */
export function isReferenceGranted(
  from: ReferenceEnd,
  to: ReferenceEnd,
  mesh: Pick<Mesh, "ReferenceGrant">,
): boolean {
  if (from.namespace === to.namespace) return true;
  return mesh.ReferenceGrant.values().some(
    (grant) =>
      grant.id.namespace === to.namespace &&
      grant.from.some(
        ({ group, kind, namespace }) =>
          group === from.group && kind === from.kind && namespace === from.namespace,
      ) &&
      grant.to.some(
        ({ group, kind, name }) =>
          group === to.group && kind === to.kind && (name === undefined || name === to.name),
      ),
  );
}
