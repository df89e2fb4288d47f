// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { SubsetMatch } from "../cluster/subset-plan.ts";
import type { RegexProgram } from "./regex/compile-regex.ts";

/** A RouteConfiguration after every check. Plain data, immutable: a change is another object. */
export interface RouteTablePlan {
  readonly name: string;
  readonly hosts: readonly VirtualHostPlan[];
}

/** Routes of some domains, the first that matches wins. */
export interface VirtualHostPlan {
  readonly name: string;
  /** Lower case: a name, `*.suffix`, `prefix.*` or `*`. No domain is in two virtual hosts. */
  readonly domains: readonly string[];
  readonly routes: readonly RoutePlan[];
}

export interface RoutePlan {
  readonly name: string;
  readonly path: PathMatch;
  /** All of them must hold. */
  readonly headers: readonly HeaderMatch[];
  /** From 0 to 1: which part of what matches takes this route; 1 for all of it. */
  readonly fraction: number;
  readonly action: ForwardAction | DirectAction;
}

/** What a path, without its query, is compared with. `segments` is a prefix that ends where a segment does. */
export type PathMatch =
  | {
      readonly kind: "exact" | "prefix" | "segments";
      readonly value: string;
      readonly isCaseSensitive: boolean;
    }
  | { readonly kind: "regex"; readonly regex: RegexProgram };

/** What a header, or `:method` or `:path`, is compared with. */
export interface HeaderMatch {
  /** Lower case. */
  readonly name: string;
  readonly test: TextTest | { readonly kind: "present" };
  readonly isInverted: boolean;
  /** Whether a header that is not there counts as an empty one. */
  readonly isMissingEmpty: boolean;
}

export type TextTest =
  | {
      readonly kind: "exact" | "prefix" | "suffix" | "contains";
      readonly value: string;
      readonly isCaseSensitive: boolean;
    }
  | { readonly kind: "regex"; readonly regex: RegexProgram };

/** Goes to an endpoint of one of the clusters. */
export interface ForwardAction {
  readonly kind: "forward";
  /** At least one; the weights add up to more than 0. */
  readonly clusters: readonly WeightedCluster[];
  readonly pathRewrite: PathRewrite | undefined;
  readonly hostRewrite: string | undefined;
  /** What RING_HASH and MAGLEV hash: the first that the request has. */
  readonly hashes: readonly HashSource[];
}

/** A cluster to which a part of the requests goes. */
export interface WeightedCluster {
  readonly name: string;
  readonly weight: number;
  /** Which of its endpoints are meant; all of them unless said. */
  readonly subset?: SubsetMatch;
}

export type PathRewrite =
  | { readonly kind: "prefix"; readonly value: string }
  | { readonly kind: "regex"; readonly regex: RegexProgram; readonly substitution: string };

export type HashSource =
  | { readonly kind: "header"; readonly name: string }
  | { readonly kind: "path" }
  /** A property that the filter set of the connection, by its name. */
  | { readonly kind: "state"; readonly name: string }
  | { readonly kind: "source" };

/** Answered by the proxy. */
export interface DirectAction {
  readonly kind: "direct";
  readonly status: number;
  readonly body: string;
}
