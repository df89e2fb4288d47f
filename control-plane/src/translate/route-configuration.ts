// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { create, type MessageInitShape } from "@msm/xds-protos";
import type {
  HeaderMatcherSchema,
  RouteAction_HashPolicySchema,
  RouteActionSchema,
  RouteMatchSchema,
  RouteSchema,
  VirtualHostSchema,
} from "@msm/xds-protos/envoy/config/route/v3/route_components_pb.js";
import {
  type RouteConfiguration,
  RouteConfigurationSchema,
} from "@msm/xds-protos/envoy/config/route/v3/route_pb.js";
import type { HashOn } from "../model/backend-policy.ts";
import type { Model } from "../model/index.ts";
import type { PathMatchType, RtspMatch } from "../model/rtsp-match.ts";
import type { RtspRewrite } from "../model/rtsp-rewrite.ts";
import type { RtspRule } from "../model/rtsp-route.ts";
import { tcpClusterName } from "./names.ts";

type PathSpecifier = NonNullable<MessageInitShape<typeof RouteMatchSchema>["pathSpecifier"]>;
type ClusterSpecifier = NonNullable<MessageInitShape<typeof RouteActionSchema>["clusterSpecifier"]>;

/** What a RouteAction says of the URL. */
interface Rewriting {
  readonly hostRewriteSpecifier?: { readonly case: "hostRewriteLiteral"; readonly value: string };
  readonly prefixRewrite?: string;
  readonly regexRewrite?: { readonly pattern: { readonly regex: string }; readonly substitution: string };
}

/** What the requests of a rule are told apart by; undefined where no backend of it hashes. */
export type HashOfRule = (rule: RtspRule) => HashOn | undefined;

/** One match of a rule, and where it is written. */
interface Candidate {
  readonly name: string;
  readonly match: RtspMatch;
  readonly rule: RtspRule;
}

/**
 * Makes the routes of an RTSP listener from everything attached to it: a virtual host for each host name, in which
 * the more specific match comes first, as HTTPRoute has it: exact paths, regular expressions, then prefixes, each the
 * longer first; then a method; then more headers; then the route's name and the order in it.
 */
export function translateRoutes(
  name: string,
  routes: readonly Model<"RTSPRoute">[],
  hashOfRule: HashOfRule,
): RouteConfiguration {
  const hosts = [...new Set(routes.flatMap(({ hostnames }) => hostnames))].sort();
  return create(RouteConfigurationSchema, {
    name,
    virtualHosts: hosts.map((host): MessageInitShape<typeof VirtualHostSchema> => {
      const candidates = routes.filter(({ hostnames }) => hostnames.includes(host)).flatMap(candidatesOf);
      const sorted = candidates.sort(bySpecificity);
      return { name: host, domains: [host], routes: sorted.flatMap((each) => toRoutes(each, hashOfRule)) };
    }),
  });
}

function candidatesOf({ id, rules }: Model<"RTSPRoute">): readonly Candidate[] {
  return rules.flatMap((rule, ruleIndex) =>
    rule.matches.map((match, matchIndex) => ({
      name: `${id.namespace}/${id.name}/${ruleIndex}/${matchIndex}`,
      match,
      rule,
    })),
  );
}

const rank: Readonly<Record<PathMatchType, number>> = { Exact: 0, RegularExpression: 1, PathPrefix: 2 };

function bySpecificity({ match: left, name }: Candidate, { match: right, name: other }: Candidate): number {
  return (
    rank[left.path.type] - rank[right.path.type] ||
    right.path.value.length - left.path.value.length ||
    Number(left.method === undefined) - Number(right.method === undefined) ||
    right.headers.length - left.headers.length ||
    name.localeCompare(other, "en", { numeric: true })
  );
}

/**
 * A prefix means whole segments: the path itself, or what begins with it and a slash. Two plain routes say so, and
 * leave no slash too many when the prefix is replaced.
 */
function toRoutes(
  { name, match, rule }: Candidate,
  hashOfRule: HashOfRule,
): MessageInitShape<typeof RouteSchema>[] {
  const { type, value } = match.path;
  const make = (pathSpecifier: PathSpecifier, suffix = ""): MessageInitShape<typeof RouteSchema> => ({
    name: `${name}${suffix}`,
    match: { pathSpecifier, headers: headersOf(match) },
    action: {
      case: "route",
      value: {
        clusterSpecifier: clusters(rule),
        hashPolicy: hashPolicies(hashOfRule(rule)),
        ...rewriting(rule.rewrite, pathSpecifier, value),
      },
    },
  });
  if (type === "Exact") return [make({ case: "path", value })];
  if (type === "RegularExpression") return [make({ case: "safeRegex", value: { regex: value } })];
  if (value === "/") return [make({ case: "prefix", value })];
  return [make({ case: "path", value }), make({ case: "prefix", value: `${value}/` }, "/below")];
}

function hashPolicies(hashOn: HashOn | undefined): MessageInitShape<typeof RouteAction_HashPolicySchema>[] {
  const { type, name = "" } = hashOn ?? {};
  switch (type) {
    case "SourceAddress":
      return [{ policySpecifier: { case: "connectionProperties", value: { sourceIp: true } } }];
    case "Header":
      return [{ policySpecifier: { case: "header", value: { headerName: name } } }];
    case "URL":
      return [{ policySpecifier: { case: "header", value: { headerName: ":path" } } }];
    case "FilterState":
      return [{ policySpecifier: { case: "filterState", value: { key: name } } }];
    default:
      return [];
  }
}

function headersOf({ method, headers }: RtspMatch): MessageInitShape<typeof HeaderMatcherSchema>[] {
  const all =
    method === undefined ? headers : [{ type: "Exact", name: ":method", value: method }, ...headers];
  return all.map(({ type, name, value }) => ({
    name,
    headerMatchSpecifier: {
      case: "stringMatch",
      value: {
        matchPattern:
          type === "Exact" ? { case: "exact", value } : { case: "safeRegex", value: { regex: value } },
      },
    },
  }));
}

function clusters({ backends }: RtspRule): ClusterSpecifier {
  const weighted = backends.filter(({ weight }) => weight > 0);
  const [only, ...others] = weighted;
  if (only !== undefined && others.length === 0) return { case: "cluster", value: tcpClusterName(only) };
  return {
    case: "weightedClusters",
    value: { clusters: weighted.map((ref) => ({ name: tcpClusterName(ref), weight: ref.weight })) },
  };
}

function rewriting(rewrite: RtspRewrite | undefined, matched: PathSpecifier, written: string): Rewriting {
  if (rewrite === undefined) return {};
  const { hostname, path } = rewrite;
  return {
    ...(hostname === undefined
      ? {}
      : { hostRewriteSpecifier: { case: "hostRewriteLiteral", value: hostname } }),
    ...(path === undefined ? {} : rewritingPath(path, matched, written)),
  };
}

function rewritingPath(
  { type, value }: NonNullable<RtspRewrite["path"]>,
  matched: PathSpecifier,
  written: string,
): Rewriting {
  // An exact path is replaced as a whole, a prefix as far as it goes (Envoy, RouteAction.prefix_rewrite).
  if (type === "ReplacePrefixMatch" || matched.case === "path") {
    const isBelow = matched.case === "prefix" && written !== "/";
    return { prefixRewrite: isBelow && !value.endsWith("/") ? `${value}/` : value };
  }
  const substitution = value.replaceAll("\\", "\\\\");
  return { regexRewrite: { pattern: { regex: "^.*$" }, substitution } };
}
