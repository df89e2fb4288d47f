// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Lookup } from "./lookup.ts";
import type { Mesh } from "./mesh.ts";

/** What a function read of a mesh: what stood under a key of a part, or without a key the whole part. */
interface Read {
  readonly part: keyof Mesh;
  readonly key: string | undefined;
  readonly value: unknown;
  /** Of the part, when it was last found to be so. */
  revision: unknown;
}

interface Known<Result> {
  readonly reads: readonly Read[];
  readonly result: Result;
}

/**
 * Remembers what a pure function of an object and a mesh gave, with what it read of the mesh: as long as all of that is
 * the same, so is the result, the very object. What was read is noted by itself, so nothing can be left out. It is
 * forgotten with the object.
 */
export class MeshMemo<Result> {
  readonly #known = new WeakMap<object, Map<string, Known<Result>>>();
  readonly #notesKinds: boolean;

  /** `kind` notes kinds as a whole: cheaper for what reads most of them, made anew when any of it changes. */
  constructor(grain: "resource" | "kind" = "resource") {
    this.#notesKinds = grain === "kind";
  }

  /**
   * The result for `owner`, or for what `name` means to it. `make` must read nothing that changes but its argument; it is
   * given what it made before, from which it may take what is still right.
   */
  get(owner: object, name: string, mesh: Mesh, make: (mesh: Mesh, before?: Result) => Result): Result {
    const byName = this.#known.get(owner) ?? new Map<string, Known<Result>>();
    const known = byName.get(name);
    if (known !== undefined && areStill(known.reads, mesh)) return known.result;
    const reads: Read[] = [];
    const result = make(noteReads(mesh, reads, this.#notesKinds), known?.result);
    byName.set(name, { reads, result });
    this.#known.set(owner, byName);
    return result;
  }
}

function areStill(reads: readonly Read[], mesh: Mesh): boolean {
  for (const read of reads) {
    const lookup = mesh[read.part];
    const { revision } = lookup;
    if (revision !== undefined && revision === read.revision) continue;
    if (read.value !== (read.key === undefined ? lookup.values() : lookup.get(read.key))) return false;
    read.revision = revision;
  }
  return true;
}

// The same mesh, but whoever reads it leaves a note. Memos inside memos leave theirs by asking it, too.
function noteReads(mesh: Mesh, reads: Read[], notesKinds: boolean): Mesh {
  const parts = Object.keys(mesh) as (keyof Mesh)[];
  return Object.fromEntries(
    parts.map((part) => [part, noteReadsOf(part, mesh[part], reads, notesKinds)]),
  ) as unknown as Mesh;
}

function noteReadsOf(
  part: keyof Mesh,
  from: Lookup<unknown>,
  reads: Read[],
  notesKinds: boolean,
): Lookup<unknown> {
  const noted = new Set<string | undefined>();
  const note = (key: string | undefined, value: unknown): void => {
    if (noted.has(key)) return;
    noted.add(key);
    reads.push({ part, key, value, revision: undefined });
  };
  const values = (): readonly unknown[] => {
    const all = from.values();
    note(undefined, all);
    return all;
  };
  const get = (key: string): unknown => {
    const value = from.get(key);
    if (notesKinds) values();
    else note(key, value);
    return value;
  };
  return {
    get size() {
      return values().length;
    },
    get,
    has: (key) => get(key) !== undefined,
    values,
    entries: () => {
      values();
      return from.entries();
    },
    // Whoever relies on it relies on the whole part; single keys have to be asked for.
    get revision() {
      return notesKinds ? values() : undefined;
    },
  };
}
