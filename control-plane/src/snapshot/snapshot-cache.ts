// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { ResourceEntry } from "./resource-entry.ts";
import type { Snapshot } from "./snapshot.ts";
import { updateSnapshot } from "./update-snapshot.ts";

/** Is told about the newest snapshot of a group, or of a node of it. */
export type OnSnapshot = (snapshot: Snapshot) => void;

/** What one node has that others of its group do not. */
interface Overlay {
  readonly entries: readonly ResourceEntry[];
  /** Made from snapshots of the group, as long as those are there: other types are shared with them. */
  readonly applied: WeakMap<Snapshot, Snapshot>;
}

interface Watch {
  readonly nodeId: string | undefined;
  readonly onSnapshot: OnSnapshot;
}

/**
 * Holds the newest snapshot of each group of proxies, and what single nodes have beside it, and tells the open streams
 * when it changes.
 */
export class SnapshotCache {
  readonly #snapshots = new Map<string, Snapshot>();
  readonly #overlays = new Map<string, Overlay>();
  readonly #watches = new Map<string, Set<Watch>>();

  /** Publishes a snapshot. One with the same content wakes nobody. */
  set(group: string, snapshot: Snapshot): void {
    const before = this.#snapshots.get(group);
    if (before?.version === snapshot.version && before.isComplete === snapshot.isComplete) return;
    this.#snapshots.set(group, snapshot);
    for (const watch of [...(this.#watches.get(group) ?? [])]) {
      // Whoever sets a newer one in here has told everybody of that already.
      if (this.#snapshots.get(group) !== snapshot) return;
      watch.onSnapshot(this.#of(watch.nodeId, snapshot));
    }
  }

  /** Forgets a group's snapshot. Proxies keep what they have; their streams wait for the next one. */
  clear(group: string): void {
    this.#snapshots.delete(group);
  }

  /**
   * Gives one node resources of its own, in the place of those with the same names or beside them: its inbound
   * listener, say. They replace what it had so before; none take it away. What it shares with its group stays shared.
   */
  setOverlay(nodeId: string, entries: readonly ResourceEntry[]): void {
    if (entries.length === 0) this.#overlays.delete(nodeId);
    else this.#overlays.set(nodeId, { entries, applied: new WeakMap() });
    for (const [group, watches] of this.#watches) {
      const snapshot = this.#snapshots.get(group);
      if (snapshot === undefined) continue;
      for (const watch of [...watches]) {
        if (watch.nodeId === nodeId) watch.onSnapshot(this.#of(nodeId, snapshot));
      }
    }
  }

  /** The newest snapshot of a group, once there is one, with what the node has of its own. */
  get(group: string, nodeId?: string): Snapshot | undefined {
    const snapshot = this.#snapshots.get(group);
    return snapshot === undefined ? undefined : this.#of(nodeId, snapshot);
  }

  /** The groups that have a snapshot. */
  groups(): readonly string[] {
    return [...this.#snapshots.keys()];
  }

  /**
   * Calls `onSnapshot` now if there is a snapshot, and at every change until the returned function is called. With a
   * node, what that has of its own is part of it.
   */
  watch(group: string, onSnapshot: OnSnapshot, nodeId?: string): () => void {
    const watches = this.#watches.get(group) ?? new Set();
    const watch = { nodeId, onSnapshot };
    this.#watches.set(group, watches.add(watch));
    const current = this.get(group, nodeId);
    if (current !== undefined) onSnapshot(current);
    return () => {
      watches.delete(watch);
      if (watches.size === 0 && this.#watches.get(group) === watches) this.#watches.delete(group);
    };
  }

  #of(nodeId: string | undefined, snapshot: Snapshot): Snapshot {
    const overlay = nodeId === undefined ? undefined : this.#overlays.get(nodeId);
    if (overlay === undefined) return snapshot;
    const known = overlay.applied.get(snapshot);
    if (known !== undefined) return known;
    const own = updateSnapshot(snapshot, overlay.entries);
    overlay.applied.set(snapshot, own);
    return own;
  }
}
