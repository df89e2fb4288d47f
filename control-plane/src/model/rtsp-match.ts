// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import type { FieldPath } from "../refusal.ts";
import { coded } from "./field-schemas.ts";
import type { Refuse } from "./problem.ts";
import { isRegularExpression } from "./regular-expression.ts";

/** How the path of a URL is compared; a prefix is one of whole segments: `/lobby` is none of `/lobby-2`. */
export type PathMatchType = "Exact" | "PathPrefix" | "RegularExpression";

/** A request header to compare; the name is in lower case. */
export interface HeaderMatch {
  readonly type: "Exact" | "RegularExpression";
  readonly name: string;
  readonly value: string;
}

/** What a request has to be for a rule: all of it at once. */
export interface RtspMatch {
  readonly path: { readonly type: PathMatchType; readonly value: string };
  readonly method: string | undefined;
  /** By name, so that two ways to write the same are equal. */
  readonly headers: readonly HeaderMatch[];
}

/** The methods that begin a session; its route is chosen by the first of them. */
const METHODS = ["DESCRIBE", "SETUP", "ANNOUNCE"] as const;

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const headerMatch = z.strictObject({
  type: z.enum(["Exact", "RegularExpression"]).default("Exact"),
  name: z.string().max(256).regex(TOKEN, { error: "must be the name of a header" }),
  value: z.string().min(1).max(4096),
});

/** One of a rule's `matches`. */
export const rtspMatch = z.strictObject({
  path: z
    .strictObject({
      type: z.enum(["Exact", "PathPrefix", "RegularExpression"]).default("PathPrefix"),
      value: z.string().min(1).max(1024).default("/"),
    })
    .default({ type: "PathPrefix", value: "/" }),
  method: z
    .custom<string>(
      (value) => METHODS.some((method) => method === value),
      coded("MSM_ROUTE_METHOD", `must be ${METHODS.join(", ")}: by the first of them a session is routed`),
    )
    .optional(),
  headers: z.array(headerMatch).max(16).default([]),
});

/** Reads a match that stands at `path`. */
export function readMatch(from: z.output<typeof rtspMatch>, path: FieldPath, refuse: Refuse): RtspMatch {
  const { type, value } = from.path;
  if (type === "RegularExpression") checkExpression(value, [...path, "path", "value"], refuse);
  else checkPath(value, [...path, "path", "value"], refuse);
  const headers = from.headers.map((header) => ({ ...header, name: header.name.toLowerCase() }));
  for (const [index, header] of headers.entries()) {
    const at = [...path, "headers", index];
    if (header.type === "RegularExpression") checkExpression(header.value, [...at, "value"], refuse);
    if (headers.findIndex(({ name }) => name === header.name) === index) continue;
    refuse("MSM_FIELD_VALUE", [...at, "name"], `${header.name} is compared twice; keep one`);
  }
  // "/lobby/" and "/lobby" mean the same prefix (Gateway API, HTTPPathMatch).
  const prefix = value.length > 1 && value.endsWith("/") ? value.slice(0, -1) : value;
  return {
    path: { type, value: type === "PathPrefix" ? prefix : value },
    method: from.method,
    headers: headers.sort((left, right) => (left.name < right.name ? -1 : 1)),
  };
}

/** Refuses a path that no request has: not from the root, or with segments that clients resolve before. */
export function checkPath(value: string, path: FieldPath, refuse: Refuse): void {
  if (/^\/[^?#\s]*$/.test(value) && !/\/\/|\/\.\.?(?:\/|$)/.test(value)) return;
  const message = 'must begin with "/" and be without "//", "/.", "/..", "?", "#" and white space';
  refuse("MSM_FIELD_VALUE", path, message);
}

function checkExpression(value: string, path: FieldPath, refuse: Refuse): void {
  if (isRegularExpression(value)) return;
  const message = "must be a regular expression in RE2's syntax, without look-around and references";
  refuse("MSM_ROUTE_REGEX", path, message);
}
