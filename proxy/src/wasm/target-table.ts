// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** Names that the filters of one listener may resolve in one worker; they are kept as long as it. */
const MAX_TARGETS = 256;

/** Where an emitted datagram may go instead of its session's endpoint. */
export interface Target {
  /** `cluster`: an endpoint that the cluster's policy picks for the client. `endpoint`: one of the session's cluster. */
  readonly kind: "cluster" | "endpoint";
  /** The cluster's name, or `ip:port`. */
  readonly name: string;
}

/** The targets that filters of a listener named, by numbers from 1 on, which stay. */
export class TargetTable {
  readonly #targets: Target[] = [];

  /** The number of a target; 0 where there are too many. */
  resolve(kind: Target["kind"], name: string): number {
    const known = this.#targets.findIndex((target) => target.kind === kind && target.name === name);
    if (known >= 0) return known + 1;
    return this.#targets.length === MAX_TARGETS ? 0 : this.#targets.push({ kind, name });
  }

  /** The target of this number; undefined where there is none. */
  get(number: number): Target | undefined {
    return this.#targets[number - 1];
  }
}
