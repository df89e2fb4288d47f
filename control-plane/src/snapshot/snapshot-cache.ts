// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Snapshot } from "./snapshot.ts";

/** Is told about a group's newest snapshot. */
export type OnSnapshot = (snapshot: Snapshot) => void;

/** Holds the newest snapshot of each group of proxies and tells the open streams when it changes. */
export class SnapshotCache {
  readonly #snapshots = new Map<string, Snapshot>();
  readonly #watches = new Map<string, Set<OnSnapshot>>();

  /** Publishes a snapshot. One with the same content wakes nobody. */
  set(group: string, snapshot: Snapshot): void {
    const before = this.#snapshots.get(group);
    if (before?.version === snapshot.version && before.isComplete === snapshot.isComplete) return;
    this.#snapshots.set(group, snapshot);
    for (const onSnapshot of [...(this.#watches.get(group) ?? [])]) {
      // Whoever sets a newer one in here has told everybody of that already.
      if (this.#snapshots.get(group) !== snapshot) return;
      onSnapshot(snapshot);
    }
  }

  /** Forgets a group's snapshot. Proxies keep what they have; their streams wait for the next one. */
  clear(group: string): void {
    this.#snapshots.delete(group);
  }

  /** The newest snapshot of a group, once there is one. */
  get(group: string): Snapshot | undefined {
    return this.#snapshots.get(group);
  }

  /** The groups that have a snapshot. */
  groups(): readonly string[] {
    return [...this.#snapshots.keys()];
  }

  /** Calls `onSnapshot` now if there is a snapshot, and at every change until the returned function is called. */
  watch(group: string, onSnapshot: OnSnapshot): () => void {
    const watches = this.#watches.get(group) ?? new Set();
    this.#watches.set(group, watches.add(onSnapshot));
    const current = this.#snapshots.get(group);
    if (current !== undefined) onSnapshot(current);
    return () => {
      watches.delete(onSnapshot);
      if (watches.size === 0 && this.#watches.get(group) === watches) this.#watches.delete(group);
    };
  }
}
