// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { create } from "@msm/xds-protos";
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  type DiscoveryRequest,
  DiscoveryRequestSchema,
} from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { AdsStream, type Effect, type StreamRules } from "../server/ads-stream.ts";
import { deltaProtocol } from "../server/delta-protocol.ts";
import type { Response } from "../server/protocol.ts";
import { sotwProtocol } from "../server/sotw-protocol.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { type SnapshotNames, snapshotOf, types } from "./test-snapshot.ts";

type Type = keyof typeof types;

/** A response in short: `cds +a,b -c`. */
export function shortly({ typeUrl, entries, removed }: Response): string {
  const type = Object.entries(types).find(([, url]) => url === typeUrl)?.[0] ?? typeUrl;
  const added = entries.map(({ name }) => name).sort();
  return [type, added.length > 0 ? `+${added}` : "", removed.length > 0 ? `-${[...removed].sort()}` : ""]
    .filter((part) => part !== "")
    .join(" ");
}

/** Drives a stream's state machine by hand and remembers what it did. */
export class StreamProbe<Request> {
  readonly stream: AdsStream<Request>;
  readonly #effects: Effect[] = [];
  readonly #makeRequest: (request: object) => Request;
  readonly #nonces = new Map<string, string>();
  #isFirst = true;

  constructor(stream: AdsStream<Request>, makeRequest: (request: object) => Request) {
    this.stream = stream;
    this.#makeRequest = makeRequest;
  }

  /** Publishes a snapshot; returns what was sent for it. */
  publish(names: SnapshotNames, isComplete = true): string[] {
    return this.publishSnapshot(snapshotOf(names, isComplete));
  }

  /** Publishes a snapshot made otherwise. */
  publishSnapshot(snapshot: Snapshot): string[] {
    return this.#note(this.stream.onSnapshot(snapshot));
  }

  /** Lets the time pass in which a client asks for all that it wants. */
  assumeAskedForAll(): string[] {
    return this.#note(this.stream.assumeAskedForAll());
  }

  /** Lets a heartbeat fall due. */
  heartbeat(): string[] {
    return this.#note(this.stream.onHeartbeat());
  }

  /** Sends a request of a type; the first one carries the node. Returns what was sent for it. */
  request(type: Type | string, fields: object = {}): string[] {
    const node = this.#isFirst ? { node: { id: "n1", userAgentName: "msm-proxy" } } : {};
    this.#isFirst = false;
    return this.#note(this.stream.onRequest(this.#makeRequest({ typeUrl: urlOf(type), ...node, ...fields })));
  }

  /** Acknowledges the newest response of a type. */
  ack(type: Type | string, fields: object = {}): string[] {
    return this.request(type, { responseNonce: this.nonce(type), ...fields });
  }

  /** Refuses the newest response of a type. */
  nack(type: Type | string, fields: object = {}): string[] {
    return this.ack(type, { errorDetail: { code: 3, message: "bad" }, ...fields });
  }

  nonce(type: Type | string): string {
    return this.#nonces.get(urlOf(type)) ?? "";
  }

  /** Everything that happened, oldest first. */
  get effects(): readonly Effect[] {
    return this.#effects;
  }

  /** The newest response. */
  get newest(): Response {
    return this.#effects.flatMap((effect) => (effect.kind === "send" ? [effect.response] : [])).at(-1)!;
  }

  #note(effects: readonly Effect[]): string[] {
    this.#effects.push(...effects);
    const sent = effects.flatMap((effect) => (effect.kind === "send" ? [effect.response] : []));
    for (const { typeUrl, nonce } of sent) this.#nonces.set(typeUrl, nonce);
    return sent.map(shortly);
  }
}

function urlOf(type: string): string {
  return type in types ? types[type as Type] : type;
}

/** A probe of a delta stream, with a snapshot if names are given. */
export function deltaProbe(
  names?: SnapshotNames,
  rules: StreamRules = {},
): StreamProbe<DeltaDiscoveryRequest> {
  const probe = new StreamProbe(new AdsStream(deltaProtocol, rules), (fields) =>
    create(DeltaDiscoveryRequestSchema, fields),
  );
  if (names !== undefined) probe.publish(names);
  return probe;
}

/** A probe of a state-of-the-world stream, with a snapshot if names are given. */
export function sotwProbe(names?: SnapshotNames, rules: StreamRules = {}): StreamProbe<DiscoveryRequest> {
  const probe = new StreamProbe(new AdsStream(sotwProtocol, rules), (fields) =>
    create(DiscoveryRequestSchema, fields),
  );
  if (names !== undefined) probe.publish(names);
  return probe;
}
