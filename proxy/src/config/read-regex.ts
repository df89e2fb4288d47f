// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type RegexMatcher, RegexMatcherSchema } from "@msm/xds-protos/envoy/type/matcher/v3/regex_pb.js";
import { compileRegex, type RegexProgram } from "../routes/regex/compile-regex.ts";
import { RegexError } from "../routes/regex/parse-regex.ts";
import { at, refuse, refuseOthers } from "./refuse.ts";

/** Compiles an RE2 pattern that must be given. Throws a `ConfigError`, also for what this proxy does not have of RE2. */
export function readRegex(matcher: RegexMatcher | undefined, path: string): RegexProgram {
  if (matcher === undefined) return refuse("MSM_CONFIG_MISSING", path, "is needed");
  // The engine is named by every tool; its options about size say nothing here.
  refuseOthers(RegexMatcherSchema, matcher, path, { regex: "accepted", google_re2: "accepted" });
  try {
    return compileRegex(matcher.regex);
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    return refuse("MSM_ROUTE_REGEX", at(path, "regex"), `"${matcher.regex}": ${error.message}`);
  }
}
