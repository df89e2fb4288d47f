// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { type KindName, kinds, type Model, type Resource } from "../model/index.ts";
import { keyOf } from "../refusal.ts";

/** Checked resources by kind and key, in order of precedence: of two that want the same, the first has it. */
export type Mesh = { readonly [Name in KindName]: ReadonlyMap<string, Model<Name>> };

/** Indexes resources by kind, keeping their order. */
export function buildMesh(resources: Iterable<Resource>): Mesh {
  const maps = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, new Map<string, Resource>()]));
  for (const resource of resources) maps[resource.id.kind]?.set(keyOf(resource.id), resource);
  // Each map holds what its kind's `parse` made: `id.kind` and the model type go together.
  return maps as unknown as Mesh;
}
