// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/**
 * A set of names that is empty most of the time, and takes up next to nothing then. An empty `Set` takes up 200 bytes,
 * and thousands of streams have several.
 */
export class NameSet {
  #names: Set<string> | undefined;

  get size(): number {
    return this.#names?.size ?? 0;
  }

  has(name: string): boolean {
    return this.#names?.has(name) ?? false;
  }

  add(name: string): void {
    this.#names ??= new Set();
    this.#names.add(name);
  }

  delete(name: string): void {
    this.#names?.delete(name);
    if (this.#names?.size === 0) this.#names = undefined;
  }

  /** The names; what is deleted meanwhile does not come any more. */
  [Symbol.iterator](): Iterator<string> {
    return (this.#names ?? []).values();
  }
}
