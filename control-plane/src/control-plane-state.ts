// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { ResourceStore, type StoreState } from "./mesh/resource-store.ts";
import { keyOf, type Refusal } from "./refusal.ts";
import { buildSnapshot } from "./snapshot/build-snapshot.ts";
import { groups } from "./snapshot/group.ts";
import { missingReferences, type Snapshot } from "./snapshot/snapshot.ts";
import type { SnapshotCache } from "./snapshot/snapshot-cache.ts";
import type { SourceUpdate } from "./sources/source.ts";

/** What one change did. */
export interface Applied {
  readonly state: StoreState;
  /** Refusals that did not stand before. */
  readonly fresh: readonly Refusal[];
}

/** Takes what a source holds all the way to the snapshots: store, translation, consistency check, cache. */
export class ControlPlaneState {
  readonly #store = new ResourceStore();
  readonly #cache: SnapshotCache;
  readonly #build: typeof buildSnapshot;
  readonly #published = new Map<string, Snapshot>();
  #refusals: ReadonlySet<string> = new Set();
  #state: StoreState | undefined;

  constructor(cache: SnapshotCache, build = buildSnapshot) {
    this.#cache = cache;
    this.#build = build;
  }

  /** The newest state; undefined before the first `apply`. */
  get state(): StoreState | undefined {
    return this.#state;
  }

  apply(update: SourceUpdate): Applied {
    const stored = this.#store.apply(update);
    const inconsistency = this.#publish(stored);
    const refusals = [...stored.refusals, ...inconsistency];
    const state = { ...stored, refusals };
    const fresh = refusals.filter((refusal) => !this.#refusals.has(fingerprint(refusal)));
    this.#refusals = new Set(refusals.map(fingerprint));
    this.#state = state;
    return { state, fresh };
  }

  // A mesh of which nothing could be read is not an empty mesh: proxies keep what they have.
  #publish(stored: StoreState): readonly Refusal[] {
    const isUnknown = !stored.isComplete && stored.statuses.every((status) => status.inForce === "none");
    if (isUnknown) return [];
    const snapshots = groups.map(({ name, profile }) => {
      const before = this.#published.get(name);
      return { name, before, snapshot: this.#build(stored.mesh, profile, stored.isComplete, before) };
    });
    const missing = snapshots.flatMap(({ snapshot, before }) => describeMissing(snapshot, before));
    if (missing.length > 0) return missing;
    for (const { name, snapshot } of snapshots) {
      this.#published.set(name, snapshot);
      this.#cache.set(name, snapshot);
    }
    return [];
  }
}

function describeMissing(snapshot: Snapshot, before: Snapshot | undefined): Refusal[] {
  return missingReferences(snapshot, before).map(({ typeUrl, name }) => ({
    code: "MSM_MESH_INCONSISTENT",
    field: "",
    file: "",
    line: 1,
    column: 1,
    message: `${typeUrl} "${name}" is referred to but not made; the previous snapshot stays`,
  }));
}

// The same fault on a line that moved is not a new one.
function fingerprint({ code, resource, field, file, message }: Refusal): string {
  return [code, resource === undefined ? "" : keyOf(resource), field, file, message].join("\0");
}
