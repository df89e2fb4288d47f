// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { ResourceEntry } from "../snapshot/resource-entry.ts";

/** A response that the client has not answered yet. */
export interface InFlight {
  readonly nonce: string;
  readonly entries: readonly ResourceEntry[];
  readonly removed: readonly string[];
}

interface Held {
  readonly version: string;
  /** Absent for what the client brought along from an earlier connection. */
  readonly entry?: ResourceEntry;
}

/** What one stream wants of one type, and what it has. */
export class Subscription {
  readonly typeUrl: string;
  readonly names = new Set<string>();
  /** What the client has, as last sent or as it says itself. */
  readonly held = new Map<string, Held>();
  /** Names that must be answered although nothing changed. */
  readonly owed = new Set<string>();
  /** Held names of which this server does not know what they were. */
  readonly unknown = new Set<string>();
  /** Held names whose newest form the client refused: it goes on with an older one. */
  readonly rejected = new Set<string>();
  isWildcard = false;
  /** The next response goes out even if it is empty. */
  mustReply = false;
  inFlight: InFlight | undefined;
  lastNonce = "";

  constructor(typeUrl: string) {
    this.typeUrl = typeUrl;
  }

  /** Whether the client wants this resource. */
  covers(name: string): boolean {
    return this.isWildcard || this.names.has(name);
  }

  /** Asking for a name, even again, is always answered (xds_protocol.rst, "Subscribing to Resources"). */
  add(name: string): void {
    this.names.add(name);
    this.owed.add(name);
  }

  /** What is not wanted any more is forgotten, so that it is sent again when it is wanted again. */
  remove(name: string): void {
    if (!this.names.delete(name)) return;
    // Under a wildcard the client needs to hear whether the resource is part of that.
    if (this.isWildcard) this.owed.add(name);
    else this.#forget(name);
  }

  setWildcard(isWildcard: boolean): void {
    if (isWildcard) this.mustReply = true;
    this.isWildcard = isWildcard;
    if (isWildcard) return;
    for (const name of [...this.held.keys(), ...this.owed]) if (!this.names.has(name)) this.#forget(name);
    this.mustReply = false;
  }

  /** Notes what a reconnecting client says it has. */
  adopt(name: string, version: string): void {
    this.held.set(name, { version });
    this.unknown.add(name);
  }

  /** Notes a response as sent. */
  sent(inFlight: InFlight): void {
    for (const entry of inFlight.entries) {
      this.#forget(entry.name);
      if (this.covers(entry.name)) this.held.set(entry.name, { version: entry.version, entry });
    }
    for (const name of inFlight.removed) this.#forget(name);
    this.inFlight = inFlight;
    this.lastNonce = inFlight.nonce;
    this.mustReply = false;
  }

  /** Notes that the client refused a response. */
  refused(inFlight: InFlight): void {
    for (const { name, version } of inFlight.entries) {
      if (this.held.get(name)?.version === version) this.rejected.add(name);
    }
  }

  /** Notes that nothing needs to be said about a name. */
  settle(name: string): void {
    this.#forget(name);
  }

  #forget(name: string): void {
    this.held.delete(name);
    this.owed.delete(name);
    this.unknown.delete(name);
    this.rejected.delete(name);
  }
}
