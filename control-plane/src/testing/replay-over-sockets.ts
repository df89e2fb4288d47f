// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { type ClientDuplexStream, credentials, type StatusObject, status } from "@grpc/grpc-js";
import { createClient, fromBinary } from "@msm/xds-protos";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
} from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { AdsStream, type Effect } from "../server/ads-stream.ts";
import { createXdsServer } from "../server/create-xds-server.ts";
import { type DiscoveryService, discoveryServices, variantOf } from "../server/discovery-services.ts";
import { StreamDriver } from "../server/stream-driver.ts";
import { SnapshotCache } from "../snapshot/snapshot-cache.ts";
import { type Recording, takeRecordings } from "./stream-probe.ts";
import { waitUntil } from "./wait-until.ts";

type Send = Extract<Effect, { readonly kind: "send" }>;
type End = Extract<Effect, { readonly kind: "end" }>;

const schemas = { sotw: DiscoveryResponseSchema, delta: DeltaDiscoveryResponseSchema };
const GROUP = "default";

/** What a test runner offers to do around tests. */
type Hooks = Readonly<
  Record<"beforeAll" | "beforeEach" | "afterEach" | "afterAll", (run: () => void | Promise<void>) => void>
>;

/** Probes of one test that are replayed: a property test makes thousands. */
const MOST = 10;

/**
 * Has what each test of the file does to a stream's state machine done again to a real server over gRPC: over the
 * aggregated service, and what concerns each type over the service of that type. The responses have to be the same to
 * the byte.
 */
export function replayOverSockets({ beforeAll, beforeEach, afterEach, afterAll }: Hooks): void {
  let replayer: Replayer;
  beforeAll(async () => {
    replayer = await Replayer.open();
  });
  beforeEach(() => void takeRecordings());
  afterEach(async () => {
    for (const recording of takeRecordings().slice(0, MOST)) await replayer.replay(recording);
  });
  afterAll(() => replayer.close());
}

/** A server on a socket, and knowledge of what it has dealt with. */
class Replayer {
  readonly #cache: SnapshotCache;
  readonly #server: Awaited<ReturnType<typeof createXdsServer>>;
  readonly #requests = new CallCount(StreamDriver.prototype, "request");
  readonly #snapshots = new CallCount(AdsStream.prototype, "onSnapshot");

  private constructor(cache: SnapshotCache, server: Awaited<ReturnType<typeof createXdsServer>>) {
    this.#cache = cache;
    this.#server = server;
  }

  static async open(): Promise<Replayer> {
    const cache = new SnapshotCache();
    return new Replayer(cache, await createXdsServer({ cache, listeners: [{ address: "127.0.0.1:0" }] }));
  }

  async close(): Promise<void> {
    this.#requests.stop();
    this.#snapshots.stop();
    await this.#server.close();
  }

  async replay(recording: Recording): Promise<void> {
    const { isAggregated = true, wholeTypes, isBeingMade } = recording.rules;
    // Those are rules of a server as a whole, which have their tests over sockets elsewhere.
    if (wholeTypes !== undefined || isBeingMade !== undefined) return;
    const asked = recording.steps.flatMap((step) => (step.kind === "request" ? [step.request.typeUrl] : []));
    for (const service of discoveryServices) {
      const { typeUrl } = service;
      if (typeUrl === undefined && isAggregated) await this.#replayOn(recording, service);
      else if (typeUrl !== undefined && asked.includes(typeUrl)) {
        await this.#replayOn(projectOn(typeUrl, recording), service);
      }
    }
  }

  async #replayOn(
    { variant, protocol, steps }: Recording,
    { service, typeUrl }: DiscoveryService,
  ): Promise<void> {
    this.#cache.clear(GROUP);
    const model = new AdsStream(protocol, { isAggregated: typeUrl === undefined });
    const client = new RawClient(service, variant, this.#server.addresses[0]!);
    const expected: object[] = [];
    let end: End | undefined;
    let isBound = false;
    for (const step of steps) {
      const isRequest = step.kind === "request";
      const effects = isRequest ? model.onRequest(step.request) : model.onSnapshot(step.snapshot);
      if (isRequest) {
        const before = this.#requests.count;
        client.call.write(step.request);
        await waitUntil(() => this.#requests.count > before);
        isBound = true;
      } else {
        const isNews = this.#cache.get(GROUP)?.version !== step.snapshot.version;
        const before = this.#snapshots.count;
        this.#cache.set(GROUP, step.snapshot);
        if (isBound && isNews) await waitUntil(() => this.#snapshots.count > before);
      }
      const sent = effects.filter((effect): effect is Send => effect.kind === "send");
      const encoding = { identifier: "", usesTtl: model.usesTtl };
      for (const { response } of sent) {
        expected.push(fromBinary(schemas[variant], protocol.encode(response, encoding)));
      }
      end = effects.find((effect): effect is End => effect.kind === "end");
      if (end !== undefined) break;
    }
    const code = await client.finish();
    assert.deepEqual(client.received, expected);
    assert.equal(status[code], end?.status ?? "OK");
  }
}

/**
 * What a recording did to one type, as a client of that type's service would do it: its stream has nonces of its own,
 * and begins with the node.
 */
function projectOn(typeUrl: string, recording: Recording): Recording {
  const { protocol, steps, rules } = recording;
  const whole = new AdsStream(protocol, rules);
  const alone = new AdsStream(protocol, { ...rules, isAggregated: false });
  const node = steps.flatMap((step) => (step.kind === "request" ? (step.request.node ?? []) : []))[0];
  /** By nonce on the stream of all types, that of the same response here. */
  const nonces = new Map<string, string>();
  const noncesOf = (effects: readonly Effect[]): readonly string[] =>
    effects.flatMap((effect) =>
      effect.kind === "send" && effect.response.typeUrl === typeUrl ? [effect.response.nonce] : [],
    );
  const note = (there: readonly string[], here: readonly string[]): void => {
    for (const [index, nonce] of there.entries()) nonces.set(nonce, here[index] ?? nonce);
  };
  let isFirst = true;
  const own = steps.flatMap((step): Recording["steps"][number][] => {
    if (step.kind === "publish") {
      const there = noncesOf(whole.onSnapshot(step.snapshot));
      const here = noncesOf(alone.onSnapshot(step.snapshot));
      note(there, here);
      return [step];
    }
    const there = noncesOf(whole.onRequest(step.request));
    if (step.request.typeUrl !== typeUrl) return [];
    const { responseNonce } = step.request;
    const request = { ...step.request, responseNonce: nonces.get(responseNonce) ?? responseNonce };
    const first = isFirst && node !== undefined ? { ...request, node } : request;
    isFirst = false;
    const here = noncesOf(alone.onRequest(first));
    note(there, here);
    return [{ kind: "request", request: first }];
  });
  return { ...recording, steps: own };
}

/** Counts how often a method of a class has returned. */
class CallCount {
  count = 0;
  readonly stop: () => void;

  constructor(owner: object, name: string) {
    const original = Reflect.get(owner, name) as (...args: unknown[]) => unknown;
    const note = (): void => {
      this.count++;
    };
    Reflect.set(owner, name, function (this: unknown, ...args: unknown[]): unknown {
      const result = original.apply(this, args);
      note();
      return result;
    });
    this.stop = () => void Reflect.set(owner, name, original);
  }
}

/** A client that sends what it is given, answers nothing by itself and remembers what it hears. */
class RawClient {
  readonly received: object[] = [];
  readonly call: ClientDuplexStream<object, object>;
  readonly #close: () => void;
  readonly #ended: Promise<number>;

  constructor(service: DiscoveryService["service"], variant: Recording["variant"], address: string) {
    const client = createClient(service, address, credentials.createInsecure());
    const { localName } = service.methods.find((method) => variantOf(method) === variant)!;
    const methods = client as unknown as Record<string, () => ClientDuplexStream<object, object>>;
    this.call = methods[localName]!();
    this.#close = () => client.close();
    this.call.on("data", (response: object) => this.received.push(response));
    this.call.on("error", () => {});
    this.#ended = new Promise((resolve) => {
      this.call.on("status", ({ code }: StatusObject) => resolve(code));
    });
  }

  /** Half-closes; what was sent before has arrived when the stream's status does. */
  async finish(): Promise<number> {
    this.call.end();
    const code = await this.#ended;
    this.#close();
    return code;
  }
}
