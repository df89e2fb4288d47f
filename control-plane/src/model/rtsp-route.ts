// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import type { FieldPath } from "../refusal.ts";
import { type BackendRef, backendRefs, readBackends } from "./backend-ref.ts";
import { defineKind } from "./define-kind.ts";
import { dnsName, meshApiVersion } from "./metadata.ts";
import { parentRefs, readParents } from "./parent-ref.ts";
import type { Refuse } from "./problem.ts";
import { type RtspMatch, readMatch, rtspMatch } from "./rtsp-match.ts";
import { type RtspRewrite, readRewrite, rtspFilter } from "./rtsp-rewrite.ts";

/** Where requests go that one of the matches fits. */
export interface RtspRule {
  readonly matches: readonly RtspMatch[];
  readonly rewrite: RtspRewrite | undefined;
  readonly backends: readonly BackendRef[];
}

const hostname = z
  .string()
  .refine((text) => dnsName.safeParse(text.startsWith("*.") ? text.slice(2) : text).success, {
    error: 'must be a DNS name in lower case such as "cams.example.com" or "*.example.com", without a port',
  });

const rule = z.strictObject({
  name: dnsName.optional(),
  matches: z.array(rtspMatch).max(64).default([]),
  filters: z.array(rtspFilter).max(16).default([]),
  backendRefs,
});

/** Sends RTSP sessions to Services and Backends by the URL, method and headers of the request that begins them. */
export const rtspRoute = defineKind({
  kind: "RTSPRoute",
  apiVersions: [meshApiVersion],
  shape: {
    spec: z.strictObject({
      parentRefs,
      hostnames: z.array(hostname).max(16).default([]),
      rules: z.array(rule).min(1).max(64),
    }),
  },
  build({ id, document, refuse }) {
    const { parentRefs, hostnames, rules } = document.spec;
    for (const [index, name] of hostnames.entries()) {
      if (hostnames.indexOf(name) === index) continue;
      refuse("MSM_FIELD_VALUE", ["spec", "hostnames", index], `${name} is listed twice; remove one`);
    }
    const model = {
      id,
      parents: readParents(parentRefs, id.namespace),
      hostnames: hostnames.length === 0 ? ["*"] : hostnames,
      rules: rules.map((from, index) => readRule(from, ["spec", "rules", index], id.namespace, refuse)),
    };
    refuseRepeats(model.rules, refuse);
    return model;
  },
});

function readRule(from: z.output<typeof rule>, path: FieldPath, namespace: string, refuse: Refuse): RtspRule {
  const written = from.matches.length === 0 ? [rtspMatch.parse({})] : from.matches;
  const matches = written.map((match, index) => readMatch(match, [...path, "matches", index], refuse));
  return {
    matches,
    rewrite: readRewrite(from.filters, matches, [...path, "filters"], refuse),
    backends: readBackends(from.backendRefs, [...path, "backendRefs"], namespace, refuse),
  };
}

// The second of two equal matches would never be asked.
function refuseRepeats(rules: readonly RtspRule[], refuse: Refuse): void {
  const seen = new Map<string, string>();
  for (const [rule, { matches }] of rules.entries()) {
    for (const [index, match] of matches.entries()) {
      const key = JSON.stringify(match);
      const first = seen.get(key);
      if (first === undefined) seen.set(key, `spec.rules[${rule}].matches[${index}]`);
      else {
        const message = `${first} matches the same; remove one`;
        refuse("MSM_ROUTE_CONFLICT", ["spec", "rules", rule, "matches", index], message);
      }
    }
  }
}
