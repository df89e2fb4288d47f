// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { expect, test } from "vitest";
import { resourcesOf } from "../snapshot/snapshot.ts";
import { deltaProbe, type StreamProbe, sotwProbe } from "../testing/stream-probe.ts";
import { type SnapshotNames, snapshotOf, types } from "../testing/test-snapshot.ts";
import type { Response } from "./protocol.ts";
import { isFullState } from "./resource-types.ts";

// Case 102 of the protocol's rules: whatever happens in whatever order, once everything is answered a client has
// exactly what it asked for.

type Type = "cds" | "eds" | "lds";
const names = ["a", "b", "c"] as const;
const type = fc.constantFrom<Type>("cds", "eds", "lds");
const name = fc.constantFrom(...names);

type Step =
  | { readonly do: "publish"; readonly snapshot: SnapshotNames }
  | { readonly do: "subscribe" | "unsubscribe"; readonly type: Type; readonly name: string }
  | { readonly do: "ack" | "nack" | "stale"; readonly type: Type };

const set = fc
  .uniqueArray(fc.tuple(name, fc.integer({ min: 1, max: 3 })), { selector: ([key]) => key })
  .map((pairs) => pairs.map(([key, content]) => `${key}=${content}`));
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("publish" as const), snapshot: fc.record({ cds: set, eds: set, lds: set }) }),
  fc.record({ do: fc.constantFrom("subscribe" as const, "unsubscribe" as const), type, name }),
  fc.record({ do: fc.constantFrom("ack" as const, "nack" as const, "stale" as const), type }),
);

/** A client that knows the rules: keeps its subscriptions and applies each response that it accepts. */
class ModelClient {
  readonly held = new Map<Type, Map<string, string>>();
  readonly wanted = new Map<Type, Set<string>>();
  readonly #waiting = new Map<Type, Response>();
  readonly #probe: StreamProbe<never>;
  readonly #isDelta: boolean;
  #seen = 0;

  constructor(probe: StreamProbe<never>, isDelta: boolean) {
    this.#probe = probe;
    this.#isDelta = isDelta;
    for (const each of ["cds", "eds", "lds"] as const) {
      this.held.set(each, new Map());
      this.wanted.set(each, new Set(["a"]));
      this.#request(each, this.#isDelta ? { resourceNamesSubscribe: ["a"] } : {});
    }
  }

  take(action: Step): void {
    if (action.do === "publish") this.#probe.publish(action.snapshot);
    else if (action.do === "subscribe") this.#subscribe(action.type, action.name);
    else if (action.do === "unsubscribe") this.#unsubscribe(action.type, action.name);
    else if (action.do === "stale") this.#request(action.type, { responseNonce: "stale" });
    else this.#answer(action.type, action.do === "nack");
    this.#collect();
  }

  /** Accepts everything until nothing more comes. */
  settle(): void {
    for (let rounds = 0; this.#waiting.size > 0; rounds++) {
      expect(rounds).toBeLessThan(20);
      for (const waiting of [...this.#waiting.keys()]) this.#answer(waiting, false);
    }
  }

  #subscribe(of: Type, added: string): void {
    this.wanted.get(of)!.add(added);
    this.#request(of, this.#isDelta ? { resourceNamesSubscribe: [added] } : {});
  }

  #unsubscribe(of: Type, removed: string): void {
    this.wanted.get(of)!.delete(removed);
    this.held.get(of)!.delete(removed);
    this.#request(of, this.#isDelta ? { resourceNamesUnsubscribe: [removed] } : {});
  }

  #answer(of: Type, isNack: boolean): void {
    const response = this.#waiting.get(of);
    if (response === undefined) return;
    this.#waiting.delete(of);
    // A refusal concerns what is new; what is gone is gone.
    this.#apply(of, isNack ? { ...response, entries: [] } : response, isNack);
    const error = isNack ? { errorDetail: { code: 3, message: "bad" } } : {};
    this.#request(of, { responseNonce: response.nonce, ...error });
  }

  #apply(of: Type, { entries, removed }: Response, isNack = false): void {
    const held = this.held.get(of)!;
    if (!this.#isDelta && isFullState(types[of]) && !isNack) held.clear();
    if (this.#isDelta) for (const gone of removed) held.delete(gone);
    for (const entry of entries)
      if (this.wanted.get(of)!.has(entry.name)) held.set(entry.name, entry.version);
  }

  #request(of: Type, fields: object): void {
    const all = this.#isDelta ? {} : { resourceNames: [...this.wanted.get(of)!] };
    const nonce =
      "responseNonce" in fields ? {} : { responseNonce: this.#isDelta ? "" : this.#probe.nonce(of) };
    const isImpliedAck = !this.#isDelta && this.#waiting.has(of) && !("responseNonce" in fields);
    // A SotW request with the newest nonce is an answer to it: the client applies the response first.
    if (isImpliedAck) {
      this.#apply(of, this.#waiting.get(of)!);
      this.#waiting.delete(of);
    }
    this.#probe.request(of, { ...all, ...nonce, ...fields });
    this.#collect();
  }

  #collect(): void {
    const fresh = this.#probe.effects.slice(this.#seen);
    this.#seen = this.#probe.effects.length;
    for (const effect of fresh) {
      if (effect.kind !== "send") continue;
      const [of] = Object.entries(types).find(([, url]) => url === effect.response.typeUrl) as [Type, string];
      expect(this.#waiting.has(of)).toBe(false);
      this.#waiting.set(of, effect.response);
    }
  }
}

for (const [variant, probeOf] of [
  ["delta", deltaProbe],
  ["sotw", sotwProbe],
] as const) {
  test(`102: ${variant}: after any interleaving the client has what the newest snapshot has of its names`, () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.record({ cds: set, eds: set, lds: set }),
        (steps, last) => {
          const client = new ModelClient(probeOf({}) as StreamProbe<never>, variant === "delta");
          for (const each of steps) client.take(each);
          client.settle();
          // What was refused is sent again only when it changes: this content is new to everybody.
          const shifted = Object.fromEntries(
            Object.entries(last).map(([key, list]) => [key, list.map((text) => text.replace("=", "=1"))]),
          );
          client.take({ do: "publish", snapshot: shifted });
          client.settle();
          for (const of of ["cds", "eds", "lds"] as const) {
            const resources = resourcesOf(snapshotOf(shifted), types[of]);
            for (const each of client.wanted.get(of)!) {
              const isUnannounced = variant === "sotw" && of === "eds" && !resources.has(each);
              if (!isUnannounced) expect(client.held.get(of)!.get(each)).toBe(resources.get(each)?.version);
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });
}
