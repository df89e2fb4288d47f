// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Refusal, ResourceId } from "../refusal.ts";

/** What became of one resource that a source holds, or that stays because another needs it. */
export interface ResourceStatus {
  readonly id: ResourceId;
  readonly file: string;
  readonly line: number;
  /** Everything against its newest form; empty when that is accepted. */
  readonly refusals: readonly Refusal[];
  /** Which form counts: the newest, an earlier one, or none. */
  readonly inForce: "newest" | "previous" | "none";
  /** True for a resource that is gone from its source but still needed by another. */
  readonly isDeleted: boolean;
}
