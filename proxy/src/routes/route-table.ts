// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { SubsetMatch } from "../cluster/subset-plan.ts";
import { matchesRoute, pathOf, type RouteQuery } from "./match-route.ts";
import { replaceRegex } from "./regex/run-regex.ts";
import type {
  DirectAction,
  ForwardAction,
  HashSource,
  RoutePlan,
  RouteTablePlan,
  VirtualHostPlan,
  WeightedCluster,
} from "./route-plan.ts";

/** A request as routes see it. */
export interface RoutedRequest extends RouteQuery {
  /** Host of the URI, with or without a port. */
  readonly host: string;
  /** IP address of who asks. */
  readonly sourceIp: string;
  /** What filters set as filter state, by name; nothing unless said. */
  readonly state?: (name: string) => string | undefined;
}

/** Where a request goes. */
export type RouteResult =
  | {
      readonly kind: "forward";
      readonly route: string;
      readonly cluster: string;
      /** Which of its endpoints are meant; all unless said. */
      readonly subset: SubsetMatch | undefined;
      /** Host and path after rewrites. */
      readonly host: string;
      readonly path: string;
      /** What to choose the endpoint by; undefined for chance. */
      readonly hashKey: string | undefined;
    }
  | { readonly kind: "direct"; readonly route: string; readonly status: number; readonly body: string }
  /** No route, and why. */
  | { readonly kind: "none"; readonly reason: string };

/** Looks routes up in a table that does not change. */
export class RouteTable {
  readonly #plan: RouteTablePlan;
  readonly #exact = new Map<string, VirtualHostPlan>();
  /** Domains with a wildcard, the longest first; suffixes before prefixes, as in Envoy. */
  readonly #suffixes: readonly (readonly [string, VirtualHostPlan])[];
  readonly #prefixes: readonly (readonly [string, VirtualHostPlan])[];
  readonly #any: VirtualHostPlan | undefined;

  constructor(plan: RouteTablePlan) {
    this.#plan = plan;
    const suffixes: [string, VirtualHostPlan][] = [];
    const prefixes: [string, VirtualHostPlan][] = [];
    let any: VirtualHostPlan | undefined;
    for (const host of plan.hosts) {
      for (const domain of host.domains) {
        if (domain === "*") any = host;
        else if (domain.startsWith("*")) suffixes.push([domain.slice(1), host]);
        else if (domain.endsWith("*")) prefixes.push([domain.slice(0, -1), host]);
        else this.#exact.set(domain, host);
      }
    }
    const longestFirst = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) =>
      b.length - a.length;
    this.#suffixes = suffixes.sort(longestFirst);
    this.#prefixes = prefixes.sort(longestFirst);
    this.#any = any;
  }

  /** Finds the route of a request. `random` is uniform from 0 to 1, for fractions and weights. */
  select(request: RoutedRequest, random: () => number): RouteResult {
    const host = this.#findHost(request.host.toLowerCase());
    if (host === undefined) {
      return {
        kind: "none",
        reason: `no virtual host of ${this.#plan.name} has the domain "${request.host}"`,
      };
    }
    const route = host.routes.find(
      (candidate) =>
        matchesRoute(candidate, request) && (candidate.fraction === 1 || random() < candidate.fraction),
    );
    if (route === undefined) {
      const asked = `${request.method} ${pathOf(request)}`;
      return { kind: "none", reason: `no route of virtual host ${host.name} matches ${asked}` };
    }
    return route.action.kind === "direct"
      ? direct(route, route.action)
      : forward(route, route.action, request, random);
  }

  /** Exact domains may name a port, and suffixes too; whatever else has a wildcard leaves the port out. */
  #findHost(host: string): VirtualHostPlan | undefined {
    const bare = host.replace(/:\d*$/, "");
    const hasSuffix = ([suffix]: readonly [string, unknown]): boolean =>
      [host, bare].some((name) => name.length > suffix.length && name.endsWith(suffix));
    const hasPrefix = ([prefix]: readonly [string, unknown]): boolean =>
      bare.length > prefix.length && bare.startsWith(prefix);
    return (
      this.#exact.get(host) ??
      this.#exact.get(bare) ??
      this.#suffixes.find(hasSuffix)?.[1] ??
      this.#prefixes.find(hasPrefix)?.[1] ??
      this.#any
    );
  }
}

function direct({ name }: RoutePlan, { status, body }: DirectAction): RouteResult {
  return { kind: "direct", route: name, status, body };
}

function forward(
  route: RoutePlan,
  action: ForwardAction,
  request: RoutedRequest,
  random: () => number,
): RouteResult {
  const { name, subset } = pickCluster(action, random);
  return {
    kind: "forward",
    route: route.name,
    cluster: name,
    subset,
    host: action.hostRewrite ?? request.host,
    path: rewritePath(route, action, request.path),
    hashKey: action.hashes.map((source) => hashText(source, request)).find((text) => text !== undefined),
  };
}

function pickCluster({ clusters }: ForwardAction, random: () => number): WeightedCluster {
  const [first] = clusters;
  if (clusters.length === 1 && first !== undefined) return first;
  let draw = random() * clusters.reduce((sum, { weight }) => sum + weight, 0);
  for (const cluster of clusters) {
    if (draw < cluster.weight) return cluster;
    draw -= cluster.weight;
  }
  // The sum of weights may be a little more than what was taken off; some weight is above 0.
  return clusters.findLast(({ weight }) => weight > 0)!;
}

/** The query stays as it is. */
function rewritePath({ path: match }: RoutePlan, { pathRewrite }: ForwardAction, path: string): string {
  if (pathRewrite === undefined) return path;
  const plain = pathOf({ path });
  const query = path.slice(plain.length);
  if (pathRewrite.kind === "regex") {
    return replaceRegex(pathRewrite.regex, plain, pathRewrite.substitution) + query;
  }
  // A regular expression matches the whole path.
  const matched = match.kind === "regex" ? plain.length : match.value.length;
  return pathRewrite.value + plain.slice(matched) + query;
}

function hashText(source: HashSource, request: RoutedRequest): string | undefined {
  switch (source.kind) {
    case "header":
      return Object.hasOwn(request.headers, source.name) ? request.headers[source.name] : undefined;
    case "path":
      return request.path;
    case "state":
      return request.state?.(source.name);
    case "source":
      return request.sourceIp;
  }
}
