// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import type { FieldPath } from "../refusal.ts";
import { unsupported } from "./field-schemas.ts";
import { dnsName } from "./metadata.ts";
import type { Refuse } from "./problem.ts";
import { checkPath, type RtspMatch } from "./rtsp-match.ts";

/** What the URL of a request becomes on its way to the backend; what is undefined stays. */
export interface RtspRewrite {
  readonly hostname: string | undefined;
  readonly path:
    | { readonly type: "ReplaceFullPath" | "ReplacePrefixMatch"; readonly value: string }
    | undefined;
}

const elsewhere = unsupported("only URLRewrite is served; remove it");

/** One of a rule's `filters`, as HTTPRoute has it; of those only URLRewrite. */
export const rtspFilter = z.strictObject({
  type: z.enum(["URLRewrite"], { error: "only URLRewrite is served" }),
  urlRewrite: z.strictObject({
    hostname: dnsName.optional(),
    path: z
      .strictObject({
        type: z.enum(["ReplaceFullPath", "ReplacePrefixMatch"]),
        replaceFullPath: z.string().min(1).max(1024).optional(),
        replacePrefixMatch: z.string().min(1).max(1024).optional(),
      })
      .optional(),
  }),
  requestHeaderModifier: elsewhere,
  responseHeaderModifier: elsewhere,
  requestMirror: elsewhere,
  requestRedirect: elsewhere,
  extensionRef: elsewhere,
});

/** Reads a rule's filters, which stand at `path`: one rewrite or none. */
export function readRewrite(
  filters: readonly z.output<typeof rtspFilter>[],
  matches: readonly RtspMatch[],
  path: FieldPath,
  refuse: Refuse,
): RtspRewrite | undefined {
  if (filters.length > 1) refuse("MSM_FIELD_VALUE", [...path, 1], "a rule has one URLRewrite; remove this");
  const written = filters[0]?.urlRewrite;
  if (written === undefined) return undefined;
  const at = [...path, 0, "urlRewrite", "path"];
  if (written.path === undefined) return { hostname: written.hostname, path: undefined };
  const { type, replaceFullPath, replacePrefixMatch } = written.path;
  const [field, other] =
    type === "ReplaceFullPath"
      ? (["replaceFullPath", "replacePrefixMatch"] as const)
      : (["replacePrefixMatch", "replaceFullPath"] as const);
  const value = type === "ReplaceFullPath" ? replaceFullPath : replacePrefixMatch;
  if (value === undefined) refuse("MSM_FIELD_MISSING", [...at, field], `is required for ${type}`);
  else checkPath(value, [...at, field], refuse);
  if (written.path[other] !== undefined)
    refuse("MSM_FIELD_VALUE", [...at, other], `does not go with ${type}; remove it`);
  if (type === "ReplacePrefixMatch" && matches.some((match) => match.path.type !== "PathPrefix")) {
    const message = "needs matches of type PathPrefix; write ReplaceFullPath or change the matches";
    refuse("MSM_ROUTE_REWRITE", [...at, "type"], message);
  }
  return { hostname: written.hostname, path: { type, value: value ?? "/" } };
}
