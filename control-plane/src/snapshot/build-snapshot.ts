// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Mesh } from "../mesh/mesh.ts";
import { type Profile, translateMesh } from "../translate/translate-mesh.ts";
import { createEntry } from "./resource-entry.ts";
import { createSnapshot, type Snapshot } from "./snapshot.ts";

/** Translates a mesh for one profile and encodes the result. */
export function buildSnapshot(mesh: Mesh, profile: Profile, isComplete: boolean): Snapshot {
  const entries = translateMesh(mesh, profile).map(({ schema, name, message, origins }) =>
    createEntry(schema, name, message, { origins }),
  );
  return createSnapshot(entries, isComplete);
}
