// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
/** What is looked at of a client. */
export type SessionInput = "SOURCE_IP" | "SOURCE_PORT";

/** What must hold of a client; the predicates of Envoy's matcher in `udp_proxy`. Plain data. */
export type SessionCondition =
  | { readonly kind: "ALL" | "ANY"; readonly of: readonly SessionCondition[] }
  | { readonly kind: "NOT"; readonly of: SessionCondition }
  | {
      readonly kind: "TEXT";
      readonly input: SessionInput;
      readonly test: "exact" | "prefix" | "suffix" | "contains";
      readonly value: string;
    }
  | { readonly kind: "RANGE"; readonly ranges: readonly AddressRange[] }
  /** The hash of the input, divided by `denominator`, leaves less than `numerator`: the same clients each time. */
  | {
      readonly kind: "FRACTION";
      readonly input: SessionInput;
      readonly numerator: number;
      readonly denominator: number;
      readonly seed: number;
    };

/** Addresses that begin with the first bits of one. */
export interface AddressRange {
  readonly address: string;
  readonly prefixLength: number;
}

/** Gives new sessions of some clients to a cluster. */
export interface SessionRule {
  readonly when: SessionCondition;
  readonly cluster: string;
}

/** Where new sessions of a listener go: by the first rule that holds, or else to `cluster`; "" takes none. */
export interface SessionRouting {
  readonly cluster: string;
  readonly rules?: readonly SessionRule[];
}

/** Every cluster to which sessions may go, each once. */
export function clustersOfRouting({ cluster, rules = [] }: SessionRouting): readonly string[] {
  const named = [...rules.map((rule) => rule.cluster), cluster];
  return [...new Set(named)].filter((name) => name !== "");
}
