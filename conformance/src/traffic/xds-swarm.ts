// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { create, toBinary, typeUrls } from "@msm/xds-protos";
import {
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
} from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { type ResponseHead, readResponseHead } from "./response-head.ts";
import { XdsStream } from "./xds-stream.ts";

/** Whom the clients of a swarm connect to, and what they want. */
export interface SwarmOptions {
  readonly port: number;
  readonly count: number;
  readonly variant: "sotw" | "delta";
  readonly ca?: string;
  /** The endpoints that each asks for by name, beside all clusters. */
  readonly endpointNames: readonly string[];
}

/** Many well-behaved clients: each takes all clusters and some endpoints, and accepts whatever comes. */
export class XdsSwarm {
  readonly #options: SwarmOptions;
  readonly #streams: XdsStream[] = [];
  readonly #errors: string[] = [];
  /** The streams of which endpoints were received since `mark`, by when. */
  #arrivals = new Map<XdsStream, number>();
  #wake = (): void => {};

  constructor(options: SwarmOptions) {
    this.#options = options;
  }

  /** What streams ended with that were not closed from here. */
  get errors(): readonly string[] {
    return this.#errors;
  }

  /** Opens all streams at once; resolves when each has its first endpoints. Gives milliseconds until then, sorted. */
  async connect(timeoutMs = 60_000): Promise<readonly number[]> {
    const { port, variant, ca, count } = this.#options;
    this.mark();
    const startedMs = performance.now();
    for (let index = 0; index < count; index++) {
      const stream = new XdsStream({
        ...{ port, variant },
        ...(ca === undefined ? {} : { ca }),
        onMessage: (from, message) => this.#answer(from, readResponseHead(message)),
        onEnd: (_from, reason) => {
          this.#errors.push(reason);
          this.#wake();
        },
      });
      this.#streams.push(stream);
      for (const typeUrl of [typeUrls.cluster, typeUrls.clusterLoadAssignment]) {
        stream.send(this.#request(typeUrl, `node-${index}`, undefined));
      }
    }
    await this.arrived(timeoutMs);
    return this.latenciesMs(startedMs);
  }

  /** From now on arrivals count. */
  mark(): void {
    this.#arrivals = new Map();
  }

  /** Resolves when every stream has received endpoints since `mark`. Throws when one ends or it takes too long. */
  async arrived(timeoutMs = 60_000): Promise<void> {
    const { count } = this.#options;
    const endMs = performance.now() + timeoutMs;
    while (this.#arrivals.size < count) {
      const leftMs = endMs - performance.now();
      const [error] = this.#errors;
      if (error !== undefined) throw new Error(`${this.#errors.length} streams ended, the first: ${error}`);
      if (leftMs <= 0)
        throw new Error(`${this.#arrivals.size} of ${count} clients were served within ${timeoutMs} ms`);
      await this.#change(leftMs);
    }
  }

  /** Milliseconds from a moment of `performance.now()` to the last arrival at each stream, sorted. */
  latenciesMs(sinceMs: number): readonly number[] {
    return [...this.#arrivals.values()].map((atMs) => atMs - sinceMs).sort((a, b) => a - b);
  }

  /** Cuts all connections. */
  close(): void {
    for (const stream of this.#streams) stream.cut();
    this.#streams.length = 0;
    this.#errors.length = 0;
  }

  #change(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #answer(stream: XdsStream, head: ResponseHead): void {
    stream.send(this.#request(head.typeUrl, undefined, head));
    if (head.typeUrl !== typeUrls.clusterLoadAssignment) return;
    this.#arrivals.set(stream, performance.now());
    if (this.#arrivals.size === this.#options.count) this.#wake();
  }

  #request(typeUrl: string, nodeId: string | undefined, head: ResponseHead | undefined): Uint8Array {
    const { variant, endpointNames } = this.#options;
    const names = typeUrl === typeUrls.cluster ? [] : [...endpointNames];
    const responseNonce = head?.nonce ?? "";
    const node = nodeId === undefined ? {} : { node: { id: nodeId, cluster: "swarm" } };
    if (variant === "sotw") {
      const fields = { ...node, typeUrl, responseNonce, resourceNames: names };
      const request = create(DiscoveryRequestSchema, { ...fields, versionInfo: head?.version ?? "" });
      return toBinary(DiscoveryRequestSchema, request);
    }
    const subscribe = head === undefined ? { resourceNamesSubscribe: names } : {};
    const fields = { ...node, typeUrl, responseNonce, ...subscribe };
    return toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, fields));
  }
}
