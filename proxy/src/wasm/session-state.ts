// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { Status } from "./abi.ts";

/** What filters may keep with one session. */
const MAX_VALUES = 32;
const MAX_VALUE_BYTES = 1_024;

const PREFIX = "filter_state.";

/** What filters set of sessions and other filters read: the properties below `filter_state`. */
export class SessionState {
  readonly #sessions = new Map<number, Map<string, Uint8Array>>();

  /** Sets a value of a session, under its name with or without the prefix. Returns a status. */
  set(session: number, path: string, value: Uint8Array): number {
    if (value.length > MAX_VALUE_BYTES) return Status.BadArgument;
    const values = this.#sessions.get(session) ?? new Map<string, Uint8Array>();
    const name = unprefixed(path);
    if (!values.has(name) && values.size === MAX_VALUES) return Status.QuotaExceeded;
    values.set(name, value);
    this.#sessions.set(session, values);
    return Status.Ok;
  }

  get(session: number, path: string): Uint8Array | undefined {
    return this.#sessions.get(session)?.get(unprefixed(path));
  }

  /** Lets another chain have what there is of a session. */
  copy(session: number, to: SessionState): void {
    const values = this.#sessions.get(session);
    if (values !== undefined) to.#sessions.set(session, new Map(values));
  }

  /** Forgets a session that is over. */
  close(session: number): void {
    this.#sessions.delete(session);
  }
}

function unprefixed(path: string): string {
  return path.startsWith(PREFIX) ? path.slice(PREFIX.length) : path;
}
