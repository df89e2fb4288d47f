// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { BlockList, isIPv6 } from "node:net";
import type { SessionCondition, SessionInput, SessionRule } from "./session-rule.ts";
import { type Hash64, remainder64, xxHash64 } from "./xx-hash64.ts";

/** A client of a listener. */
interface Client {
  readonly address: string;
  readonly port: number;
}

type Test = (client: Client) => boolean;

/** Chooses the cluster of a new session by the rules of its listener. */
export class SessionMatcher {
  readonly #rules: readonly { readonly test: Test; readonly cluster: string }[];
  readonly #otherwise: string;

  constructor(rules: readonly SessionRule[], otherwise: string) {
    this.#rules = rules.map(({ when, cluster }) => ({ test: compile(when), cluster }));
    this.#otherwise = otherwise;
  }

  /** The cluster for a client; "" where it gets none. */
  clusterFor(client: Client): string {
    return this.#rules.find(({ test }) => test(client))?.cluster ?? this.#otherwise;
  }
}

function compile(condition: SessionCondition): Test {
  switch (condition.kind) {
    case "ALL": {
      const tests = condition.of.map(compile);
      return (client) => tests.every((test) => test(client));
    }
    case "ANY": {
      const tests = condition.of.map(compile);
      return (client) => tests.some((test) => test(client));
    }
    case "NOT": {
      const test = compile(condition.of);
      return (client) => !test(client);
    }
    case "TEXT":
      return compileText(condition);
    case "RANGE":
      return compileRanges(condition);
    case "FRACTION":
      return compileFraction(condition);
  }
}

function compileText({ input, test, value }: SessionCondition & { readonly kind: "TEXT" }): Test {
  switch (test) {
    case "exact":
      return (client) => textOf(client, input) === value;
    case "prefix":
      return (client) => textOf(client, input).startsWith(value);
    case "suffix":
      return (client) => textOf(client, input).endsWith(value);
    case "contains":
      return (client) => textOf(client, input).includes(value);
  }
}

function compileRanges({ ranges }: SessionCondition & { readonly kind: "RANGE" }): Test {
  const list = new BlockList();
  for (const { address, prefixLength } of ranges) list.addSubnet(address, prefixLength, familyOf(address));
  return ({ address }) => list.check(address, familyOf(address));
}

/** As Envoy hashes it, so that both choose the same clients. */
function compileFraction({
  input,
  numerator,
  denominator,
  seed,
}: SessionCondition & { readonly kind: "FRACTION" }): Test {
  const hash: Hash64 = { high: 0, low: 0 };
  return (client) => {
    const bytes = Buffer.from(textOf(client, input));
    xxHash64(bytes, bytes.length, hash, seed);
    return remainder64(hash, denominator) < numerator;
  };
}

function textOf({ address, port }: Client, input: SessionInput): string {
  return input === "SOURCE_IP" ? address : String(port);
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIPv6(address) ? "ipv6" : "ipv4";
}
