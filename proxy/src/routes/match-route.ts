// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { matchesText } from "./match-text.ts";
import type { HeaderMatch, PathMatch, RoutePlan } from "./route-plan.ts";

/** What a route is looked up by. */
export interface RouteQuery {
  /** With its query, as in the request's URI. */
  readonly path: string;
  readonly method: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Whether a request takes a route, but for the part that `fraction` leaves out. */
export function matchesRoute(route: RoutePlan, query: RouteQuery): boolean {
  return (
    matchesPath(route.path, pathOf(query)) && route.headers.every((header) => matchesHeader(header, query))
  );
}

/** The path without its query. */
export function pathOf({ path }: Pick<RouteQuery, "path">): string {
  const end = path.indexOf("?");
  return end < 0 ? path : path.slice(0, end);
}

function matchesPath(match: PathMatch, path: string): boolean {
  if (match.kind === "regex") return matchesText(match, path);
  const { kind, isCaseSensitive } = match;
  const value = isCaseSensitive ? match.value : match.value.toLowerCase();
  const text = isCaseSensitive ? path : path.toLowerCase();
  if (kind === "exact") return text === value;
  if (!text.startsWith(value)) return false;
  return kind === "prefix" || text.length === value.length || text[value.length] === "/";
}

function matchesHeader({ name, test, isInverted, isMissingEmpty }: HeaderMatch, query: RouteQuery): boolean {
  const value = headerOf(name, query);
  if (test.kind === "present") return (value !== undefined) !== isInverted;
  // What is not there matches nothing, inverted or not, as in Envoy.
  if (value === undefined && !isMissingEmpty) return false;
  return matchesText(test, value ?? "") !== isInverted;
}

function headerOf(name: string, query: RouteQuery): string | undefined {
  if (name === ":method") return query.method;
  if (name === ":path") return query.path;
  return Object.hasOwn(query.headers, name) ? query.headers[name] : undefined;
}
