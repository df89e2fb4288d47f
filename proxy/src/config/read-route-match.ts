// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import {
  type RuntimeFractionalPercent,
  RuntimeFractionalPercentSchema,
} from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import {
  type HeaderMatcher,
  HeaderMatcherSchema,
  type RouteMatch,
  RouteMatchSchema,
} from "@msm/xds-protos/envoy/config/route/v3/route_components_pb.js";
import { FractionalPercent_DenominatorType } from "@msm/xds-protos/envoy/type/v3/percent_pb.js";
import type { HeaderMatch, PathMatch, RoutePlan, TextTest } from "../routes/route-plan.ts";
import { FRACTION_DENOMINATORS } from "./fraction-denominators.ts";
import { readRegex } from "./read-regex.ts";
import { readStringMatcher } from "./read-string-matcher.ts";
import { at, type FieldRule, refuse, refuseOthers } from "./refuse.ts";

/** What is said of each field of `RouteMatch`; any other is refused. */
export const routeMatchRules: Readonly<Record<string, FieldRule>> = {
  prefix: "accepted",
  path: "accepted",
  safe_regex: "accepted",
  path_separated_prefix: "accepted",
  case_sensitive: "accepted",
  runtime_fraction: "accepted",
  headers: "accepted",
};

/** The same of `HeaderMatcher`. */
export const headerRules: Readonly<Record<string, FieldRule>> = {
  name: "accepted",
  exact_match: "accepted",
  safe_regex_match: "accepted",
  present_match: "accepted",
  prefix_match: "accepted",
  suffix_match: "accepted",
  contains_match: "accepted",
  string_match: "accepted",
  invert_match: "accepted",
  treat_missing_header_as_empty: "accepted",
};

/** Reads what a request must be to take a route. Throws a `ConfigError`. */
export function readRouteMatch(
  match: RouteMatch | undefined,
  path: string,
): Pick<RoutePlan, "path" | "headers" | "fraction"> {
  if (match === undefined) return refuse("MSM_CONFIG_MISSING", path, "is needed");
  refuseOthers(RouteMatchSchema, match, path, routeMatchRules);
  return {
    path: readPath(match, path),
    headers: match.headers.map((header, i) => readHeader(header, `${at(path, "headers")}[${i}]`)),
    fraction: readFraction(match.runtimeFraction, at(path, "runtime_fraction")),
  };
}

function readPath({ pathSpecifier, caseSensitive }: RouteMatch, path: string): PathMatch {
  const isCaseSensitive = caseSensitive ?? true;
  switch (pathSpecifier.case) {
    case "path":
      return { kind: "exact", value: pathSpecifier.value, isCaseSensitive };
    case "prefix":
      return { kind: "prefix", value: pathSpecifier.value, isCaseSensitive };
    case "pathSeparatedPrefix":
      return { kind: "segments", value: pathSpecifier.value, isCaseSensitive };
    case "safeRegex":
      if (!isCaseSensitive) {
        refuse("MSM_ROUTE_MATCH", at(path, "case_sensitive"), "must be true for a regular expression");
      }
      return { kind: "regex", regex: readRegex(pathSpecifier.value, at(path, "safe_regex")) };
    default:
      return refuse("MSM_ROUTE_MATCH", path, "must be a path, prefix, path_separated_prefix or safe_regex");
  }
}

function readHeader(header: HeaderMatcher, path: string): HeaderMatch {
  refuseOthers(HeaderMatcherSchema, header, path, headerRules);
  const name = header.name.toLowerCase();
  if (name.startsWith(":") && name !== ":method" && name !== ":path") {
    refuse("MSM_ROUTE_MATCH", at(path, "name"), `"${name}" is not here; there are :method and :path`);
  }
  const { test, isInverted } = readHeaderTest(header, path);
  return {
    name,
    test,
    isInverted: header.invertMatch !== isInverted,
    isMissingEmpty: header.treatMissingHeaderAsEmpty,
  };
}

function readHeaderTest(
  { headerMatchSpecifier: { case: kind, value } }: HeaderMatcher,
  path: string,
): { readonly test: HeaderMatch["test"]; readonly isInverted: boolean } {
  const text = (test: TextTest) => ({ test, isInverted: false });
  switch (kind) {
    case "exactMatch":
      return text({ kind: "exact", value, isCaseSensitive: true });
    case "prefixMatch":
      return text({ kind: "prefix", value, isCaseSensitive: true });
    case "suffixMatch":
      return text({ kind: "suffix", value, isCaseSensitive: true });
    case "containsMatch":
      return text({ kind: "contains", value, isCaseSensitive: true });
    case "safeRegexMatch":
      return text({ kind: "regex", regex: readRegex(value, at(path, "safe_regex_match")) });
    case "stringMatch":
      return text(readStringMatcher(value, at(path, "string_match")));
    case "presentMatch":
      return { test: { kind: "present" }, isInverted: !value };
    default:
      return { test: { kind: "present" }, isInverted: false };
  }
}

function readFraction(fraction: RuntimeFractionalPercent | undefined, path: string): number {
  if (fraction === undefined) return 1;
  refuseOthers(RuntimeFractionalPercentSchema, fraction, path, {
    default_value: "accepted",
    runtime_key: { only: "", hint: "remove it, for there is no runtime here" },
  });
  const { numerator = 0, denominator = FractionalPercent_DenominatorType.HUNDRED } =
    fraction.defaultValue ?? {};
  return Math.min(1, numerator / FRACTION_DENOMINATORS[denominator]);
}
