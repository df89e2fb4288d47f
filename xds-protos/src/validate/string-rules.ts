// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Message } from "@bufbuild/protobuf";
import type { StringRules } from "../../gen/validate/validate_pb.js";
import type { RuleMaker } from "./rule-test.ts";
import * as wellKnown from "./well-known-strings.ts";

/** The rules of string fields (validate.proto StringRules), but `email`: no Envoy message asks for it. */
export const stringRules: Readonly<Record<string, RuleMaker>> = {
  const: (bound) => text(`must be "${bound}"`, (value) => value === bound),
  len: (bound) => text(`must have ${bound} characters`, (value) => characters(value) === Number(bound)),
  min_len: (bound) =>
    bound === 1n
      ? text("must not be empty", (value) => value.length > 0)
      : text(`must have at least ${bound} characters`, (value) => characters(value) >= Number(bound)),
  max_len: (bound) =>
    text(`must have at most ${bound} characters`, (value) => characters(value) <= Number(bound)),
  len_bytes: (bound) =>
    text(`must have ${bound} bytes`, (value) => Buffer.byteLength(value) === Number(bound)),
  min_bytes: (bound) =>
    text(`must have at least ${bound} bytes`, (value) => Buffer.byteLength(value) >= Number(bound)),
  max_bytes: (bound) =>
    text(`must have at most ${bound} bytes`, (value) => Buffer.byteLength(value) <= Number(bound)),
  pattern: (bound) => {
    const pattern = new RegExp(bound as string, "u");
    return text(`must match ${bound}`, (value) => pattern.test(value));
  },
  prefix: (bound) => text(`must begin with "${bound}"`, (value) => value.startsWith(bound as string)),
  suffix: (bound) => text(`must end with "${bound}"`, (value) => value.endsWith(bound as string)),
  contains: (bound) => text(`must contain "${bound}"`, (value) => value.includes(bound as string)),
  not_contains: (bound) => text(`must not contain "${bound}"`, (value) => !value.includes(bound as string)),
  in: (bound) => among(bound, true),
  not_in: (bound) => among(bound, false),
  hostname: (bound) => known(bound, "a host name", wellKnown.isHostname),
  ip: (bound) => known(bound, "an IP address", wellKnown.isIp),
  ipv4: (bound) => known(bound, "an IPv4 address", wellKnown.isIpv4),
  ipv6: (bound) => known(bound, "an IPv6 address without brackets", wellKnown.isIpv6),
  uri: (bound) => known(bound, "an absolute URI", wellKnown.isUri),
  uri_ref: (bound) => known(bound, "a URI reference", wellKnown.isUriReference),
  address: (bound) => known(bound, "a host name or an IP address", wellKnown.isAddress),
  uuid: (bound) => known(bound, "a UUID", wellKnown.isUuid),
  well_known_regex: knownRegex,
};

/** The rules of the type URL in an Any field (validate.proto AnyRules). */
export const anyRules: Readonly<Record<string, RuleMaker>> = {
  in: (bound) => among(bound, true),
  not_in: (bound) => among(bound, false),
};

function text(problem: string, holds: (value: string) => boolean): ReturnType<RuleMaker> {
  return { problem, holds: (value) => holds(value as string) };
}

function among(bound: unknown, wanted: boolean): ReturnType<RuleMaker> {
  const values = new Set(bound as readonly string[]);
  return text(
    `must ${wanted ? "" : "not "}be one of "${[...values].join('", "')}"`,
    (value) => values.has(value) === wanted,
  );
}

function known(bound: unknown, what: string, holds: (value: string) => boolean): ReturnType<RuleMaker> {
  return bound === true ? text(`must be ${what}`, holds) : undefined;
}

function knownRegex(bound: unknown, rules: Message): ReturnType<RuleMaker> {
  const { strict } = rules as StringRules;
  const regex = wellKnown.headerRegex(bound as number, strict);
  return regex && text(`must be ${regex.what}`, (value) => regex.pattern.test(value));
}

/** Unicode code points, as validate.proto counts. */
function characters(value: string): number {
  let count = 0;
  for (const _ of value) count++;
  return count;
}
