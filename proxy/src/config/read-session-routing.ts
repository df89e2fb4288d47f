// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import {
  type Route,
  RouteSchema,
} from "@msm/xds-protos/envoy/extensions/filters/udp/udp_proxy/v3/route_pb.js";
import {
  type Matcher,
  type Matcher_MatcherTree,
  Matcher_MatcherTreeSchema,
  type Matcher_OnMatch,
  MatcherSchema,
} from "@msm/xds-protos/xds/type/matcher/v3/matcher_pb.js";
import type { SessionRouting, SessionRule } from "../cluster/session-rule.ts";
import { readInput, readPredicate } from "./read-session-matcher.ts";
import { at, refuse, refuseOthers } from "./refuse.ts";
import { unpack } from "./unpack.ts";

/**
 * Reads the matcher of a udp_proxy: a list of predicates or a map of exact values, each with a `Route`, and one for
 * all others. Pure. Throws a `ConfigError`.
 */
export function readSessionRouting(matcher: Matcher, path: string): SessionRouting {
  refuseOthers(MatcherSchema, matcher, path, {
    matcher_list: "accepted",
    matcher_tree: "accepted",
    on_no_match: "accepted",
  });
  const rules = readRules(matcher, path);
  const { onNoMatch } = matcher;
  if (onNoMatch === undefined && rules.length === 0) {
    const problem = "must be an action with a Route that names a cluster";
    refuse("MSM_LISTENER_MATCHER", at(path, "on_no_match"), problem);
  }
  const cluster = onNoMatch === undefined ? "" : readRoute(onNoMatch, at(path, "on_no_match"));
  return rules.length === 0 ? { cluster } : { cluster, rules };
}

function readRules({ matcherType: type }: Matcher, path: string): readonly SessionRule[] {
  switch (type.case) {
    case "matcherList":
      return type.value.matchers.map(({ predicate, onMatch }, index) => {
        const own = `${at(path, "matcher_list.matchers")}[${index}]`;
        return {
          when: readPredicate(predicate, at(own, "predicate")),
          cluster: readRoute(onMatch, at(own, "on_match")),
        };
      });
    case "matcherTree":
      return readTree(type.value, at(path, "matcher_tree"));
    case undefined:
      return [];
  }
}

function readTree(tree: Matcher_MatcherTree, path: string): readonly SessionRule[] {
  refuseOthers(Matcher_MatcherTreeSchema, tree, path, { input: "accepted", exact_match_map: "accepted" });
  const input = readInput(tree.input, at(path, "input"));
  const map = tree.treeType.case === "exactMatchMap" ? tree.treeType.value.map : {};
  return Object.entries(map).map(([value, onMatch]) => ({
    when: { kind: "TEXT", input, test: "exact", value },
    cluster: readRoute(onMatch, `${at(path, "exact_match_map.map")}["${value}"]`),
  }));
}

function readRoute(onMatch: Matcher_OnMatch | undefined, path: string): string {
  if (onMatch?.onMatch.case !== "action") {
    const problem =
      "must be an action with a Route that names a cluster; instead of a matcher in it use and_matcher";
    return refuse("MSM_LISTENER_MATCHER", path, problem);
  }
  const routePath = at(path, "action.typed_config");
  const route: Route = unpack(RouteSchema, onMatch.onMatch.value.typedConfig, routePath);
  refuseOthers(RouteSchema, route, routePath, { cluster: "accepted" });
  return route.cluster;
}
