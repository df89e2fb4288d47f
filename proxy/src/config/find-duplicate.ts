// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { ListenerValue } from "./build-plan.ts";
import { formatAddress } from "./read-address.ts";
import type { Accepted } from "./resource.ts";

/** Two listeners that want one address. */
export interface Duplicate {
  /** The one that came later. */
  readonly name: string;
  readonly holder: string;
  readonly address: string;
}

/**
 * Finds the first of the new listeners that wants an address which another listener has. Listeners that are not
 * new come first, and port 0 is never the same.
 */
export function findDuplicate(
  listeners: readonly Accepted<ListenerValue>[],
  isNew: ReadonlySet<string>,
): Duplicate | undefined {
  const holders = new Map<string, string>();
  const oldOnesFirst = listeners.toSorted((a, b) => Number(isNew.has(a.name)) - Number(isNew.has(b.name)));
  for (const { name, value } of oldOnesFirst) {
    if (value.config.address.port === 0) continue;
    const address = formatAddress(value.config.address);
    // A TCP and a UDP listener may have the same port.
    const key = `${value.kind} ${address}`;
    const holder = holders.get(key);
    if (holder !== undefined && isNew.has(name)) return { name, holder, address };
    holders.set(key, name);
  }
  return undefined;
}
