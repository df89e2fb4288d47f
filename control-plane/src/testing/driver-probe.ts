// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { create, fromBinary, type MessageInitShape } from "@msm/xds-protos";
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { mayInspect, type Peer } from "../server/peer.ts";
import { PushQueue } from "../server/push-queue.ts";
import { sotwProtocol } from "../server/sotw-protocol.ts";
import type { StreamContext } from "../server/stream-context.ts";
import { StreamDriver } from "../server/stream-driver.ts";
import type { Notice } from "../server/stream-observer.ts";
import { SnapshotCache } from "../snapshot/snapshot-cache.ts";
import { FakeClock } from "./fake-clock.ts";

/** State-of-the-world streams on fake connections, a fake clock, and turns of the event loop that tests take. */
export class DriverProbe {
  readonly cache = new SnapshotCache();
  readonly clock = new FakeClock();
  readonly events: string[] = [];
  readonly notices: Notice[] = [];
  readonly context: StreamContext;
  readonly #turns: (() => void)[] = [];

  constructor(options: Partial<StreamContext> = {}) {
    this.context = {
      cache: this.cache,
      clock: this.clock,
      queue: new PushQueue((run) => this.#turns.push(run)),
      groupOf: (node) => node.locality?.zone || "default",
      identifier: "",
      stallTimeoutMs: 30_000,
      random: () => 0.5,
      authorize: () => undefined,
      maySeeSecrets: mayInspect,
      observer: {
        opened: ({ nodeId, group }) => this.events.push(`opened ${nodeId} ${group}`),
        closed: ({ nodeId }) => this.events.push(`closed ${nodeId}`),
        stalled: ({ nodeId }) => this.events.push(`stalled ${nodeId}`),
        noticed: (_stream, notice) => this.notices.push(notice),
        sent: () => {},
        accepted: () => {},
        refused: () => {},
      },
      ...options,
    };
  }

  /** Lets the event loop turn until nothing waits, at most so many times; returns how often it did. */
  turn(limit = 1000): number {
    let turns = 0;
    for (; turns < limit && this.#turns.length > 0; turns++) this.#turns.shift()!();
    return turns;
  }

  /** Opens a stream of a node. */
  connect(nodeId: string, zone = ""): FakeStream {
    return new FakeStream(this.context, nodeId, zone);
  }
}

const STRANGER: Peer = { address: "10.0.0.1:4000", isAuthenticated: false };

/** One stream and what its client sees. */
export class FakeStream {
  readonly responses: DiscoveryResponse[] = [];
  endedWith: string | undefined;
  /** Set to make writing fail. */
  isBroken = false;
  readonly driver: StreamDriver<DiscoveryRequest>;
  readonly #nodeId: string;
  #zone: string;

  constructor(context: StreamContext, nodeId: string, zone: string, peer: Peer = STRANGER) {
    this.#nodeId = nodeId;
    this.#zone = zone;
    const connection = {
      peer,
      write: (bytes: Uint8Array) => {
        if (this.isBroken) throw new Error("the connection is broken");
        this.responses.push(fromBinary(DiscoveryResponseSchema, bytes));
      },
      end: (status: string) => {
        this.endedWith = status;
      },
    };
    const kind = { variant: "sotw", protocol: sotwProtocol, isAggregated: true } as const;
    this.driver = new StreamDriver(kind, connection, context);
  }

  get newest(): DiscoveryResponse {
    return this.responses.at(-1)!;
  }

  moveTo(zone: string): void {
    this.#zone = zone;
  }

  /** Sends a request as it is given. */
  requestWith(fields: MessageInitShape<typeof DiscoveryRequestSchema>): void {
    this.driver.request(create(DiscoveryRequestSchema, fields));
  }

  request(typeUrl: string, fields: { responseNonce?: string; resourceNames?: string[] } = {}): void {
    const node = { id: this.#nodeId, locality: { zone: this.#zone } };
    this.requestWith({ typeUrl, node, ...fields });
  }

  /** Acknowledges the newest response. */
  ack(): void {
    this.request(this.newest.typeUrl, { responseNonce: this.newest.nonce });
  }
}
