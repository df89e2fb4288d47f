// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Resource } from "../model/index.ts";
import type { Problem } from "../model/problem.ts";

/** A problem between resources: which one is to blame, and the key of the resource that it needs, if it needs one. */
export interface MeshProblem extends Problem {
  readonly resource: Resource;
  readonly needs?: string;
}
