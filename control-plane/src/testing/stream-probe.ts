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
import type { Protocol, Response } from "../server/protocol.ts";
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

type AnyRequest = DiscoveryRequest | DeltaDiscoveryRequest;

type Step =
  | { readonly kind: "request"; readonly request: AnyRequest }
  | { readonly kind: "publish"; readonly snapshot: Snapshot };

/** What was done to a probe's stream from its begin, as far as others could do it: not that time passed. */
export interface Recording {
  readonly variant: "sotw" | "delta";
  readonly protocol: Protocol<AnyRequest>;
  readonly rules: StreamRules;
  readonly steps: readonly Step[];
}

let recordings: Recording[] = [];

/** The recordings of all probes that were made since this was called last. */
export function takeRecordings(): readonly Recording[] {
  const taken = recordings;
  recordings = [];
  return taken;
}

/** Drives a stream's state machine by hand and remembers what it did. */
export class StreamProbe<Request extends AnyRequest> {
  readonly stream: AdsStream<Request>;
  readonly #effects: Effect[] = [];
  readonly #makeRequest: (request: object) => Request;
  readonly #nonces = new Map<string, string>();
  readonly #steps: Step[];
  #isRecorded = true;
  #isFirst = true;

  constructor(stream: AdsStream<Request>, makeRequest: (request: object) => Request, steps: Step[] = []) {
    this.stream = stream;
    this.#makeRequest = makeRequest;
    this.#steps = steps;
  }

  /** Publishes a snapshot; returns what was sent for it. */
  publish(names: SnapshotNames, isComplete = true): string[] {
    return this.publishSnapshot(snapshotOf(names, isComplete));
  }

  /** Publishes a snapshot made otherwise. */
  publishSnapshot(snapshot: Snapshot): string[] {
    this.#record({ kind: "publish", snapshot });
    return this.#note(this.stream.onSnapshot(snapshot));
  }

  /** Lets the time pass in which a client asks for all that it wants. */
  assumeAskedForAll(): string[] {
    this.#isRecorded = false;
    return this.#note(this.stream.assumeAskedForAll());
  }

  /** Lets a heartbeat fall due. */
  heartbeat(): string[] {
    this.#isRecorded = false;
    return this.#note(this.stream.onHeartbeat());
  }

  /** Sends a request of a type; the first one carries the node. Returns what was sent for it. */
  request(type: Type | string, fields: object = {}): string[] {
    const node = this.#isFirst ? { node: { id: "n1", userAgentName: "msm-proxy" } } : {};
    this.#isFirst = false;
    const request = this.#makeRequest({ typeUrl: urlOf(type), ...node, ...fields });
    this.#record({ kind: "request", request });
    return this.#note(this.stream.onRequest(request));
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

  #record(step: Step): void {
    if (this.#isRecorded) this.#steps.push(step);
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

function record(variant: Recording["variant"], protocol: Recording["protocol"], rules: StreamRules): Step[] {
  const steps: Step[] = [];
  recordings.push({ variant, protocol, rules, steps });
  return steps;
}

/** A probe of a delta stream, with a snapshot if names are given. */
export function deltaProbe(
  names?: SnapshotNames,
  rules: StreamRules = {},
): StreamProbe<DeltaDiscoveryRequest> {
  const stream = new AdsStream(deltaProtocol, rules);
  const steps = record("delta", deltaProtocol, rules);
  const probe = new StreamProbe(stream, (fields) => create(DeltaDiscoveryRequestSchema, fields), steps);
  if (names !== undefined) probe.publish(names);
  return probe;
}

/** A probe of a state-of-the-world stream, with a snapshot if names are given. */
export function sotwProbe(names?: SnapshotNames, rules: StreamRules = {}): StreamProbe<DiscoveryRequest> {
  const stream = new AdsStream(sotwProtocol, rules);
  const steps = record("sotw", sotwProtocol, rules);
  const probe = new StreamProbe(stream, (fields) => create(DiscoveryRequestSchema, fields), steps);
  if (names !== undefined) probe.publish(names);
  return probe;
}
