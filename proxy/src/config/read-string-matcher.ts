// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type StringMatcher, StringMatcherSchema } from "@msm/xds-protos/envoy/type/matcher/v3/string_pb.js";
import type { TextTest } from "../routes/route-plan.ts";
import { readRegex } from "./read-regex.ts";
import { at, refuse, refuseOthers } from "./refuse.ts";

/** Reads what a text has to be. Throws a `ConfigError`. */
export function readStringMatcher(matcher: StringMatcher, path: string): TextTest {
  refuseOthers(StringMatcherSchema, matcher, path, {
    ...{ exact: "accepted", prefix: "accepted", suffix: "accepted", contains: "accepted" },
    ...{ safe_regex: "accepted", ignore_case: "accepted" },
  });
  const { matchPattern, ignoreCase } = matcher;
  switch (matchPattern.case) {
    case "exact":
    case "prefix":
    case "suffix":
    case "contains":
      return { kind: matchPattern.case, value: matchPattern.value, isCaseSensitive: !ignoreCase };
    case "safeRegex":
      return { kind: "regex", regex: readRegex(matchPattern.value, at(path, "safe_regex")) };
    default:
      return refuse("MSM_ROUTE_MATCH", path, "must be exact, prefix, suffix, contains or safe_regex");
  }
}
