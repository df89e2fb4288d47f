// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { isIP } from "node:net";
import type { DescMessage } from "@bufbuild/protobuf";
import { CidrRangeSchema } from "@msm/xds-protos/envoy/config/core/v3/address_pb.js";
import { RuntimeFractionalPercentSchema } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import {
  SourceIPInputSchema,
  SourcePortInputSchema,
} from "@msm/xds-protos/envoy/extensions/matching/common_inputs/network/v3/network_inputs_pb.js";
import { IpSchema } from "@msm/xds-protos/envoy/extensions/matching/input_matchers/ip/v3/ip_pb.js";
import { RuntimeFractionSchema } from "@msm/xds-protos/envoy/extensions/matching/input_matchers/runtime_fraction/v3/runtime_fraction_pb.js";
import type { TypedExtensionConfig } from "@msm/xds-protos/xds/core/v3/extension_pb.js";
import type {
  Matcher_MatcherList_Predicate as Predicate,
  Matcher_MatcherList_Predicate_SinglePredicate as SinglePredicate,
} from "@msm/xds-protos/xds/type/matcher/v3/matcher_pb.js";
import { type StringMatcher, StringMatcherSchema } from "@msm/xds-protos/xds/type/matcher/v3/string_pb.js";
import type { AddressRange, SessionCondition, SessionInput } from "../cluster/session-rule.ts";
import { FRACTION_DENOMINATORS } from "./fraction-denominators.ts";
import { at, refuse, refuseOthers } from "./refuse.ts";
import { typeNameOf, unpack } from "./unpack.ts";

/** The longest chain of predicates inside predicates: none is written by hand beyond it. */
const MAX_DEPTH = 16;

const INPUTS: readonly (readonly [DescMessage, SessionInput])[] = [
  [SourceIPInputSchema, "SOURCE_IP"],
  [SourcePortInputSchema, "SOURCE_PORT"],
];

/** Reads a predicate of a udp_proxy's matcher. Pure. Throws a `ConfigError`. */
export function readPredicate(predicate: Predicate | undefined, path: string, depth = 0): SessionCondition {
  if (depth > MAX_DEPTH) {
    refuse("MSM_LISTENER_MATCHER", path, `stands more than ${MAX_DEPTH} predicates deep; write it flatter`);
  }
  const type = predicate?.matchType;
  const list = (of: readonly Predicate[], field: string) =>
    of.map((inner, index) => readPredicate(inner, `${at(path, field)}.predicate[${index}]`, depth + 1));
  switch (type?.case) {
    case "singlePredicate":
      return readSingle(type.value, at(path, "single_predicate"));
    case "orMatcher":
      return { kind: "ANY", of: list(type.value.predicate, "or_matcher") };
    case "andMatcher":
      return { kind: "ALL", of: list(type.value.predicate, "and_matcher") };
    case "notMatcher":
      return { kind: "NOT", of: readPredicate(type.value, at(path, "not_matcher"), depth + 1) };
    default:
      return refuse("MSM_CONFIG_MISSING", path, "is needed; say what must hold");
  }
}

/** Reads what is looked at of a client. */
export function readInput(input: TypedExtensionConfig | undefined, path: string): SessionInput {
  const typeUrl = input?.typedConfig?.typeUrl ?? "";
  const found = INPUTS.find(([schema]) => schema.typeName === typeNameOf(typeUrl));
  if (found === undefined) {
    const problem = `"${typeUrl}" is not here; use ${INPUTS.map(([schema]) => schema.typeName).join(" or ")}`;
    return refuse("MSM_LISTENER_MATCHER", at(path, "typed_config"), problem);
  }
  return found[1];
}

function readSingle({ input: extension, matcher }: SinglePredicate, path: string): SessionCondition {
  const input = readInput(extension, at(path, "input"));
  switch (matcher.case) {
    case "valueMatch":
      return readText(matcher.value, input, at(path, "value_match"));
    case "customMatch":
      return readCustom(matcher.value, input, at(path, "custom_match.typed_config"));
    default:
      return refuse("MSM_CONFIG_MISSING", path, "needs a value_match or a custom_match");
  }
}

function readText(matcher: StringMatcher, input: SessionInput, path: string): SessionCondition {
  refuseOthers(StringMatcherSchema, matcher, path, {
    ...{ exact: "accepted", prefix: "accepted", suffix: "accepted", contains: "accepted" },
    // Addresses are written in lower case, and ports have none.
    ignore_case: "accepted",
  });
  const { matchPattern, ignoreCase } = matcher;
  switch (matchPattern.case) {
    case "exact":
    case "prefix":
    case "suffix":
    case "contains": {
      const value = ignoreCase ? matchPattern.value.toLowerCase() : matchPattern.value;
      return { kind: "TEXT", input, test: matchPattern.case, value };
    }
    default:
      return refuse("MSM_LISTENER_MATCHER", path, "must be exact, prefix, suffix or contains");
  }
}

function readCustom(custom: TypedExtensionConfig, input: SessionInput, path: string): SessionCondition {
  const any = custom.typedConfig;
  switch (typeNameOf(any?.typeUrl ?? "")) {
    case IpSchema.typeName: {
      if (input !== "SOURCE_IP") refuse("MSM_LISTENER_MATCHER", path, "is for SourceIPInput alone");
      const ip = unpack(IpSchema, any, path);
      refuseOthers(IpSchema, ip, path, { cidr_ranges: "accepted", stat_prefix: "accepted" });
      const ranges = ip.cidrRanges.map((range, index) => {
        const rangePath = `${at(path, "cidr_ranges")}[${index}]`;
        refuseOthers(CidrRangeSchema, range, rangePath, {
          address_prefix: "accepted",
          prefix_len: "accepted",
        });
        return readRange(range.addressPrefix, range.prefixLen ?? 0, rangePath);
      });
      return { kind: "RANGE", ranges };
    }
    case RuntimeFractionSchema.typeName:
      return readFraction(custom, input, path);
    default: {
      const problem = `"${any?.typeUrl ?? ""}" is not here; use ${IpSchema.typeName} or ${RuntimeFractionSchema.typeName}`;
      return refuse("MSM_LISTENER_MATCHER", path, problem);
    }
  }
}

function readRange(address: string, prefixLength: number, path: string): AddressRange {
  const family = isIP(address);
  if (family === 0)
    refuse("MSM_CONFIG_ADDRESS", at(path, "address_prefix"), "must be an IPv4 or IPv6 address");
  if (prefixLength > (family === 4 ? 32 : 128)) {
    refuse("MSM_CONFIG_INVALID", at(path, "prefix_len"), `must be at most ${family === 4 ? 32 : 128}`);
  }
  return { address, prefixLength };
}

function readFraction(custom: TypedExtensionConfig, input: SessionInput, path: string): SessionCondition {
  const config = unpack(RuntimeFractionSchema, custom.typedConfig, path);
  refuseOthers(RuntimeFractionSchema, config, path, { runtime_fraction: "accepted", seed: "accepted" });
  const fractionPath = at(path, "runtime_fraction");
  // The rules of Envoy's API want a fraction.
  const fraction = config.runtimeFraction!;
  refuseOthers(RuntimeFractionalPercentSchema, fraction, fractionPath, {
    default_value: "accepted",
    runtime_key: { only: "", hint: "remove it, for there is no runtime here" },
  });
  if (config.seed >= 2n ** 32n) {
    refuse("MSM_CONFIG_UNSUPPORTED_VALUE", at(path, "seed"), "must be less than 4294967296");
  }
  // Without a value Envoy takes none of them.
  const { numerator = 0, denominator = 0 } = fraction.defaultValue ?? {};
  const seed = Number(config.seed);
  return { kind: "FRACTION", input, numerator, denominator: FRACTION_DENOMINATORS[denominator], seed };
}
