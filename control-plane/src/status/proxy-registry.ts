// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Node } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import type { Response } from "../server/protocol.ts";
import type { StreamInfo, StreamObserver } from "../server/stream-observer.ts";
import type { ResourceEntry } from "../snapshot/resource-entry.ts";
import type { Outcome } from "./programming.ts";
import { TypeState, type TypeSync } from "./type-state.ts";

interface ConnectedProxy {
  info: StreamInfo;
  node: Node;
  readonly types: Map<string, TypeState>;
}

/** One connected proxy's stream: who it is, and how far it is with each type that it asked for. */
export interface ProxyStatus {
  readonly info: StreamInfo;
  readonly node: Node;
  readonly types: ReadonlyMap<string, TypeState>;
}

/** Knows what every connected proxy was sent, took and refused. */
export class ProxyRegistry implements StreamObserver {
  readonly #proxies = new Map<number, ConnectedProxy>();

  opened(info: StreamInfo, node: Node): void {
    const known = this.#proxies.get(info.id);
    if (known === undefined) this.#proxies.set(info.id, { info, node, types: new Map() });
    else Object.assign(known, { info, node });
  }

  subscribed(stream: StreamInfo, typeUrl: string): void {
    this.#state(stream, typeUrl);
  }

  sent(stream: StreamInfo, response: Response): void {
    this.#state(stream, response.typeUrl).sent(response);
  }

  accepted(stream: StreamInfo, typeUrl: string, nonce: string, entries: readonly ResourceEntry[]): void {
    this.#state(stream, typeUrl).accepted(nonce, entries);
  }

  refused(
    stream: StreamInfo,
    typeUrl: string,
    _nonce: string,
    entries: readonly ResourceEntry[],
    error: string,
  ): void {
    this.#state(stream, typeUrl).refused(entries, error);
  }

  stalled(): void {}

  closed(stream: StreamInfo): void {
    this.#proxies.delete(stream.id);
  }

  /** How many streams there are. */
  get size(): number {
    return this.#proxies.size;
  }

  /** Every connected proxy. */
  all(): readonly ProxyStatus[] {
    return [...this.#proxies.values()];
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
      types: Object.fromEntries([...types].map(([typeUrl, state]) => [typeUrl, state.sync])),
    }));
  }

  #state(stream: StreamInfo, typeUrl: string): TypeState {
    const { types } = this.#proxies.get(stream.id)!;
    const state = types.get(typeUrl) ?? new TypeState();
    types.set(typeUrl, state);
    return state;
  }
}

function outcomeOf({ info, types }: ConnectedProxy, entry: ResourceEntry): Outcome {
  const resource = types.get(entry.typeUrl)?.resources.get(entry.name);
  if (resource?.refusal?.version === entry.version)
    return { state: "refused", nodeId: info.nodeId, error: resource.refusal.error };
  return { state: resource?.taken === entry.version ? "accepted" : "pending" };
}
