// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { ResourceEntry } from "../snapshot/resource-entry.ts";
import { globOf, isGlob } from "../snapshot/resource-name.ts";
import type { ResourceSet } from "../snapshot/snapshot.ts";
import { NameSet } from "./name-set.ts";

/** A response that the client has not answered yet. */
export interface InFlight {
  readonly nonce: string;
  readonly version: string;
  readonly entries: readonly ResourceEntry[];
  readonly removed: readonly string[];
}

interface Held {
  readonly version: string;
  /** Absent for what the client brought along from an earlier connection. */
  readonly entry?: ResourceEntry;
}

const NONE: ReadonlyMap<string, ResourceEntry> = new Map();

/** What one stream wants of one type, and what it has. */
export class Subscription {
  readonly typeUrl: string;
  /** Whether SotW responses hold everything, and a first request without names asks for everything. */
  readonly isWhole: boolean;
  readonly names = new Set<string>();
  /** What the client has, as last sent or as it says itself. */
  readonly held = new Map<string, Held>();
  /** Names that must be answered although nothing changed. */
  readonly owed = new NameSet();
  /** Held names of which this server does not know what they were. */
  readonly unknown = new NameSet();
  /** Held names whose newest form the client refused: it goes on with an older one. */
  readonly rejected = new NameSet();
  isWildcard = false;
  /** The client said what it has from an earlier connection. */
  isResumed = false;
  /** The next response goes out even if it is empty. */
  mustReply = false;
  inFlight: InFlight | undefined;
  /**
   * A set of resources with which it agrees in all that it wants, so that only what changed since needs to be looked
   * at; undefined when there is none that is known to be one.
   */
  agreed: ResourceSet | undefined;
  lastNonce = "";
  lastVersion = "";
  #globCount = 0;
  /** The entries of a response that is under way by name, made when they are first asked for. */
  #comingOf: InFlight | undefined;
  #coming: ReadonlyMap<string, ResourceEntry> = NONE;
  /** Resources by the other names by which they were asked for. */
  #meant: Map<string, string> | undefined;

  constructor(typeUrl: string, isWhole: boolean) {
    this.typeUrl = typeUrl;
    this.isWhole = isWhole;
  }

  /** Whether the client wants this resource. */
  covers(name: string): boolean {
    if (this.isWildcard || this.names.has(name)) return true;
    return this.#globCount > 0 && this.names.has(globOf(name));
  }

  /** Whether the names that it wants can be known only by looking at all resources. */
  get isOpenEnded(): boolean {
    return this.isWildcard || this.#globCount > 0;
  }

  /** Asking for a name, even again, is always answered (xds_protocol.rst, "Subscribing to Resources"). */
  add(name: string): void {
    this.agreed = undefined;
    if (!isGlob(name)) this.owed.add(name);
    else this.#addGlob(name);
    this.names.add(name);
    this.#expectInFlight(name);
  }

  /** What is not wanted any more is forgotten, so that it is sent again when it is wanted again. */
  remove(asked: string): void {
    const name = this.#meant?.get(asked) ?? asked;
    this.#meant?.delete(asked);
    if (!this.names.delete(name)) return;
    this.agreed = undefined;
    if (isGlob(name)) {
      this.#globCount--;
      this.#forgetUncovered();
    } else if (this.covers(name)) {
      // Under a wildcard the client needs to hear whether the resource is part of that.
      this.owed.add(name);
    } else this.#forget(name);
  }

  /** Takes another name of a resource for the resource. */
  resolve(aliases: ReadonlyMap<string, string> | undefined): void {
    if (aliases === undefined) return;
    for (const asked of [...this.names]) {
      const name = aliases.get(asked);
      if (name === undefined) continue;
      this.names.delete(asked);
      this.owed.delete(asked);
      this.#meant ??= new Map();
      this.#meant.set(asked, name);
      this.add(name);
    }
  }

  setWildcard(isWildcard: boolean): void {
    this.agreed = undefined;
    if (isWildcard) this.mustReply = true;
    this.isWildcard = isWildcard;
    if (isWildcard) return;
    this.#forgetUncovered();
    this.mustReply = false;
  }

  /** Notes what a reconnecting client says it has. */
  adopt(name: string, version: string): void {
    this.agreed = undefined;
    this.isResumed = true;
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
    this.lastVersion = inFlight.version;
    this.mustReply = false;
  }

  /** Notes that the client refused a response. */
  refused(inFlight: InFlight): void {
    for (const { name, version } of inFlight.entries) {
      if (this.held.get(name)?.version === version) this.rejected.add(name);
    }
  }

  /** Has a name answered although nothing changed. */
  owe(name: string): void {
    this.agreed = undefined;
    this.owed.add(name);
  }

  /** Notes that it has all that it should have of these resources. */
  agreeWith(resources: ResourceSet): void {
    const isSure = this.owed.size === 0 && this.unknown.size === 0;
    this.agreed = isSure ? resources : undefined;
  }

  /** Notes that nothing needs to be said about a name. */
  settle(name: string): void {
    this.agreed = undefined;
    this.#forget(name);
  }

  /**
   * Who gives a name up and asks for it again takes it from a response that is under way: it is held then, so that its
   * removal has to wait for those who may use it.
   */
  #expectInFlight(name: string): void {
    if (this.inFlight === undefined || this.inFlight.entries.length === 0) return;
    if (this.#comingOf !== this.inFlight) {
      this.#comingOf = this.inFlight;
      this.#coming = new Map(this.inFlight.entries.map((entry) => [entry.name, entry]));
    }
    const names = isGlob(name) ? [...this.#coming.keys()].filter((each) => globOf(each) === name) : [name];
    for (const each of names) {
      const entry = this.#coming.get(each);
      if (entry !== undefined && !this.held.has(each)) this.held.set(each, { version: entry.version, entry });
    }
  }

  #addGlob(glob: string): void {
    if (!this.names.has(glob)) this.#globCount++;
    else for (const name of this.held.keys()) if (globOf(name) === glob) this.owed.add(name);
    this.mustReply = true;
  }

  #forgetUncovered(): void {
    for (const name of [...this.held.keys(), ...this.owed]) if (!this.covers(name)) this.#forget(name);
  }

  #forget(name: string): void {
    this.held.delete(name);
    this.owed.delete(name);
    this.unknown.delete(name);
    this.rejected.delete(name);
  }
}
