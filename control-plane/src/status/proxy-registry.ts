// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Response } from "../server/protocol.ts";
import type { StreamInfo, StreamObserver } from "../server/stream-observer.ts";
import type { ResourceEntry } from "../snapshot/resource-entry.ts";
import type { Outcome } from "./programming.ts";

/** How far one stream is with one type. */
export interface TypeSync {
  readonly sent: string;
  readonly acked: string;
  /** The refusal of the newest answered response; empty when that was accepted. */
  readonly error: string;
  readonly status: "SYNCED" | "STALE" | "ERROR";
}

interface TypeState {
  sentVersion: string;
  sentNonce: string;
  ackedVersion: string;
  error: string;
  /** The newest version of each resource that the proxy took, and that it refused with the reason. */
  readonly accepted: Map<string, string>;
  readonly refused: Map<string, { readonly version: string; readonly error: string }>;
}

interface ConnectedProxy {
  readonly info: StreamInfo;
  readonly types: Map<string, TypeState>;
}

/** Knows what every connected proxy was sent, took and refused. */
export class ProxyRegistry implements StreamObserver {
  readonly #proxies = new Map<number, ConnectedProxy>();

  opened(info: StreamInfo): void {
    this.#proxies.set(info.id, { info, types: new Map() });
  }

  sent(stream: StreamInfo, { typeUrl, version, nonce, removed }: Response): void {
    const state = this.#state(stream, typeUrl);
    state.sentVersion = version;
    state.sentNonce = nonce;
    for (const name of removed) {
      state.accepted.delete(name);
      state.refused.delete(name);
    }
  }

  accepted(stream: StreamInfo, typeUrl: string, nonce: string, entries: readonly ResourceEntry[]): void {
    const state = this.#state(stream, typeUrl);
    for (const { name, version } of entries) {
      state.accepted.set(name, version);
      state.refused.delete(name);
    }
    if (nonce !== state.sentNonce || nonce === "") return;
    state.ackedVersion = state.sentVersion;
    state.error = "";
  }

  /**
   * Notes a refusal. A proxy takes what is good in a response and names what is not: where the reason names some of
   * the resources sent, the others count as taken; where it names none, none do.
   */
  refused(
    stream: StreamInfo,
    typeUrl: string,
    _nonce: string,
    entries: readonly ResourceEntry[],
    error: string,
  ): void {
    const state = this.#state(stream, typeUrl);
    state.error = error;
    const named = entries.filter(({ name }) => mentions(error, name));
    const bad = new Set(named.length > 0 ? named : entries);
    for (const entry of entries) {
      if (bad.has(entry))
        state.refused.set(entry.name, { version: entry.version, error: ownPart(error, entry.name) });
      else state.accepted.set(entry.name, entry.version);
    }
  }

  stalled(): void {}

  closed(stream: StreamInfo): void {
    this.#proxies.delete(stream.id);
  }

  /** How many streams there are. */
  get size(): number {
    return this.#proxies.size;
  }

  /** What each connected proxy of a group did with these entries. */
  outcomes(group: string, entries: readonly ResourceEntry[]): readonly Outcome[] {
    return [...this.#proxies.values()]
      .filter(({ info }) => info.group === group)
      .flatMap((proxy) => entries.map((entry) => outcomeOf(proxy, entry)));
  }

  /** How far each stream is with each type. */
  sync(): readonly { readonly info: StreamInfo; readonly types: Readonly<Record<string, TypeSync>> }[] {
    return [...this.#proxies.values()].map(({ info, types }) => ({
      info,
      types: Object.fromEntries([...types].map(([typeUrl, state]) => [typeUrl, syncOf(state)])),
    }));
  }

  #state(stream: StreamInfo, typeUrl: string): TypeState {
    const types = this.#proxies.get(stream.id)!.types;
    const known = types.get(typeUrl);
    if (known !== undefined) return known;
    const state: TypeState = {
      sentVersion: "",
      sentNonce: "",
      ackedVersion: "",
      error: "",
      accepted: new Map(),
      refused: new Map(),
    };
    types.set(typeUrl, state);
    return state;
  }
}

function outcomeOf({ info, types }: ConnectedProxy, entry: ResourceEntry): Outcome {
  const state = types.get(entry.typeUrl);
  const refusal = state?.refused.get(entry.name);
  if (refusal?.version === entry.version)
    return { state: "refused", nodeId: info.nodeId, error: refusal.error };
  return { state: state?.accepted.get(entry.name) === entry.version ? "accepted" : "pending" };
}

function syncOf({ sentVersion, ackedVersion, error }: TypeState): TypeSync {
  const status = error !== "" ? "ERROR" : ackedVersion === sentVersion ? "SYNCED" : "STALE";
  return { sent: sentVersion, acked: ackedVersion, error, status };
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
