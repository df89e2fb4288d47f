// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Response } from "../server/protocol.ts";
import type { ResourceEntry } from "../snapshot/resource-entry.ts";

/** How far one stream is with one type, or with one resource, in the words of CSDS. */
export type SyncStatus = "NOT_SENT" | "SYNCED" | "STALE" | "ERROR";

/** How far one stream is with one type. */
export interface TypeSync {
  readonly sent: string;
  readonly acked: string;
  /** The refusal of the newest answered response; empty when that was accepted. */
  readonly error: string;
  readonly status: SyncStatus;
}

/** What one proxy has of one resource. */
export interface ResourceState {
  /** The version sent last; empty for what the proxy brought along. */
  readonly sent: string;
  /** The newest version that the proxy took. */
  readonly taken?: string;
  /** The version that it refused last, and why. */
  readonly refusal?: { readonly version: string; readonly error: string };
  /** When that was last so, milliseconds since 1970. */
  readonly updatedAtMs: number;
}

/** Follows one type on one stream. */
export class TypeState {
  readonly resources = new Map<string, ResourceState>();
  /** When something of it was last sent or answered, milliseconds since 1970. */
  updatedAtMs = Date.now();
  #sentVersion = "";
  #sentNonce = "";
  #ackedVersion = "";
  #error = "";

  sent({ version, nonce, entries, removed }: Response): void {
    this.updatedAtMs = Date.now();
    this.#sentVersion = version;
    this.#sentNonce = nonce;
    for (const entry of entries) this.#update(entry.name, { sent: entry.version });
    for (const name of removed) this.resources.delete(name);
  }

  accepted(nonce: string, entries: readonly ResourceEntry[]): void {
    this.updatedAtMs = Date.now();
    for (const entry of entries) this.#take(entry);
    if (nonce !== this.#sentNonce || nonce === "") return;
    this.#ackedVersion = this.#sentVersion;
    this.#error = "";
  }

  /**
   * Notes a refusal. A proxy takes what is good in a response and names what is not: where the reason names some of
   * the resources sent, the others count as taken; where it names none, none do.
   */
  refused(entries: readonly ResourceEntry[], error: string): void {
    this.updatedAtMs = Date.now();
    this.#error = error;
    const named = entries.filter(({ name }) => mentions(error, name));
    const bad = new Set(named.length > 0 ? named : entries);
    for (const entry of entries) {
      if (!bad.has(entry)) this.#take(entry);
      else {
        const refusal = { version: entry.version, error: ownPart(error, entry.name) };
        this.#update(entry.name, { refusal });
      }
    }
  }

  get sync(): TypeSync {
    const [sent, acked, error] = [this.#sentVersion, this.#ackedVersion, this.#error];
    const settled = acked === sent ? "SYNCED" : "STALE";
    const status =
      error !== "" ? "ERROR" : this.#sentNonce === "" && this.resources.size === 0 ? "NOT_SENT" : settled;
    return { sent, acked, error, status };
  }

  #take({ name, version }: ResourceEntry): void {
    const { sent = "" } = this.resources.get(name) ?? {};
    this.resources.set(name, { sent, taken: version, updatedAtMs: Date.now() });
  }

  #update(name: string, change: Partial<ResourceState>): void {
    const before = this.resources.get(name) ?? { sent: "" };
    this.resources.set(name, { ...before, ...change, updatedAtMs: Date.now() });
  }
}

/** How far a proxy is with one resource. */
export function resourceStatus({ sent, taken, refusal }: ResourceState): SyncStatus {
  if (refusal !== undefined && (sent === "" || refusal.version === sent)) return "ERROR";
  if (taken === undefined) return sent === "" ? "NOT_SENT" : "STALE";
  return sent === "" || taken === sent ? "SYNCED" : "STALE";
}

// Reasons for several resources stand on lines of their own; a user wants the one about this resource.
function ownPart(error: string, name: string): string {
  const own = error.split("\n").filter((line) => mentions(line, name));
  return own.length > 0 ? own.join("\n") : error;
}

// `gateway/video` is not meant where `gateway/video-rtcp` is written.
function mentions(text: string, name: string): boolean {
  const isPartOfName = (character: string | undefined): boolean => /[\w./@-]/.test(character ?? "");
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    if (!isPartOfName(text[at - 1]) && !isPartOfName(text[at + name.length])) return true;
  }
  return false;
}
