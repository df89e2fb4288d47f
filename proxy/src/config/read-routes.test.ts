// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from "@msm/xds-protos";
import { expect, test } from "vitest";
import { RouteTable } from "../routes/route-table.ts";
import { clustersOf } from "./read-routes.ts";
import { read, refusal } from "./testdata/read.ts";
import { routeJson, routesJson } from "./testdata/resources.ts";

/** Reads routes and asks them: the cluster, the path that it is asked for there, or why there is none. */
async function ask(
  routes: readonly JsonObject[],
  path: string,
  {
    method = "DESCRIBE",
    headers = {} as Readonly<Record<string, string>>,
    draw = 0.5,
    state = (_: string): string | undefined => undefined,
  } = {},
): Promise<string> {
  const table = new RouteTable(await read("routeConfiguration", "edge", routesJson("edge", routes)));
  const request = { host: "cam", path, method, headers, sourceIp: "192.0.2.1", state };
  const result = table.select(request, () => draw);
  switch (result.kind) {
    case "forward":
      return `${result.cluster} ${result.host}${result.path} ${result.hashKey ?? result.subset?.values ?? ""}`.trimEnd();
    case "direct":
      return `${result.status} ${result.body}`;
    case "none":
      return result.reason;
  }
}

const headerMatch = (header: JsonObject) => routeJson("c", { match: { headers: [header] } });

test.each<[JsonObject, string, boolean]>([
  [{ prefix: "/a" }, "/ab", true],
  [{ path: "/a", prefix: undefined as never }, "/ab", false],
  [{ path_separated_prefix: "/a", prefix: undefined as never }, "/a/b", true],
  [{ safe_regex: { google_re2: {}, regex: "/[ab]+" }, prefix: undefined as never }, "/abba", true],
  [{ prefix: "/A", case_sensitive: false }, "/a", true],
  [{ runtime_fraction: { default_value: { numerator: 49 } } }, "/", false],
  [{ runtime_fraction: { default_value: { numerator: 51 } } }, "/", true],
])("the match %j of %s: %s", async (match, path, isMatched) => {
  const { prefix, ...others } = match;
  const all = { ...(prefix === undefined ? {} : { prefix }), ...others };
  const isOther = ["path", "path_separated_prefix", "safe_regex"].some((key) => key in others);
  const route = { match: isOther ? all : { prefix: "/", ...all }, route: { cluster: "c" } };
  expect((await ask([route], path)).startsWith("c ")).toBe(isMatched);
});

test.each<[JsonObject, boolean]>([
  [{ name: ":method", string_match: { exact: "DESCRIBE" } }, true],
  [{ name: ":method", string_match: { exact: "RECORD" } }, false],
  [{ name: ":method", exact_match: "DESCRIBE" }, true],
  [{ name: ":path", prefix_match: "/lob" }, true],
  [{ name: "User-Agent", string_match: { contains: "vlc", ignore_case: true } }, true],
  [{ name: "user-agent", suffix_match: "3" }, true],
  [{ name: "user-agent", contains_match: "VLC", invert_match: true }, false],
  [{ name: "user-agent", safe_regex_match: { regex: "LibVLC/\\d" } }, true],
  [{ name: "session", present_match: false }, true],
  [{ name: "session" }, false],
  [{ name: "session", string_match: { exact: "" }, treat_missing_header_as_empty: true }, true],
])("the header match %j: %s", async (header, isMatched) => {
  const answer = await ask([headerMatch(header)], "/lobby", { headers: { "user-agent": "LibVLC/3" } });
  expect(answer.startsWith("c ")).toBe(isMatched);
});

test("weights, rewrites, hashes and answers of the proxy are read", async () => {
  const clusters = [
    { name: "stable", weight: 95 },
    { name: "canary", weight: 5 },
  ];
  const weighted = { match: { prefix: "/" }, route: { weighted_clusters: { clusters, total_weight: 100 } } };
  expect(await ask([weighted], "/x", { draw: 0.96 })).toBe("canary cam/x");
  const rewritten = routeJson("c", {
    match: { prefix: "/cams" },
    action: { prefix_rewrite: "/in", host_rewrite_literal: "camera" },
  });
  expect(await ask([rewritten], "/cams/1?a")).toBe("c camera/in/1?a");
  const regex = { pattern: { regex: "^/(\\w+)/(\\w+)" }, substitution: "/\\2/\\1" };
  expect(await ask([routeJson("c", { action: { regex_rewrite: regex } })], "/a/b/c")).toBe("c cam/b/a/c");
  const whole = { pattern: { regex: "^.*$" }, substitution: "/live" };
  expect(await ask([routeJson("c", { action: { regex_rewrite: whole } })], "/a/b")).toBe("c cam/live");
  const hash_policy = [
    { header: { header_name: "Session" }, terminal: true },
    { connection_properties: { source_ip: true } },
  ];
  expect(await ask([routeJson("c", { action: { hash_policy } })], "/")).toBe("c cam/ 192.0.2.1");
  const byState = { hash_policy: [{ filter_state: { key: "room" } }] };
  const state = (name: string) => `the ${name}`;
  expect(await ask([routeJson("c", { action: byState })], "/", { state })).toBe("c cam/ the room");
  const direct = { match: { prefix: "/" }, direct_response: { status: 451, body: { inline_string: "no" } } };
  expect(await ask([direct], "/")).toBe("451 no");
});

test("a route and each of its weighted clusters say which endpoints are meant", async () => {
  const lb = (fields: JsonObject) => ({ filter_metadata: { "envoy.lb": fields, "com.example": { x: 1 } } });
  const one = routeJson("c", { action: { metadata_match: lb({ stage: "prod", n: { b: 2, a: 1 } }) } });
  expect(await ask([one], "/")).toBe('c cam/ [["n","{\\"a\\":1,\\"b\\":2}"],["stage","\\"prod\\""]]');
  const clusters = [
    { name: "a", weight: 1, metadata_match: lb({ stage: "canary" }) },
    { name: "b", weight: 1 },
  ];
  const metadata_match = lb({ stage: "prod", site: "oslo" });
  const weighted = { match: { prefix: "/" }, route: { weighted_clusters: { clusters }, metadata_match } };
  const values = (stage: string) =>
    JSON.stringify([
      ["site", '"oslo"'],
      ["stage", JSON.stringify(stage)],
    ]);
  expect(await ask([weighted], "/", { draw: 0.1 })).toBe(`a cam/ ${values("canary")}`);
  expect(await ask([weighted], "/", { draw: 0.9 })).toBe(`b cam/ ${values("prod")}`);
});

test("the clusters that routes name are known", async () => {
  const clusters = [{ name: "b", weight: 1 }];
  const routes = [routeJson("a"), { match: { prefix: "/" }, route: { weighted_clusters: { clusters } } }];
  const table = await read("routeConfiguration", "edge", routesJson("edge", routes));
  expect([...clustersOf(table)]).toEqual(["a", "b"]);
});

const route = "virtual_hosts[0].routes[0]";
test.each<[string, JsonObject, string]>([
  ["a redirect", { match: { prefix: "/" }, redirect: {} }, `MSM_CONFIG_UNSUPPORTED_FIELD ${route}.redirect`],
  ["no action", { match: { prefix: "/" } }, "MSM_CONFIG_INVALID action"],
  ["no path", { match: {}, route: { cluster: "c" } }, "MSM_CONFIG_INVALID path_specifier"],
  [
    "a match of query parameters",
    routeJson("c", { match: { query_parameters: [{ name: "a" }] } }),
    `MSM_CONFIG_UNSUPPORTED_FIELD ${route}.match.query_parameters`,
  ],
  [
    "a range of a header",
    headerMatch({ name: "a", range_match: { start: 1, end: 2 } }),
    `MSM_CONFIG_UNSUPPORTED_FIELD ${route}.match.headers[0].range_match`,
  ],
  [
    "a pseudo-header that there is not",
    headerMatch({ name: ":authority", exact_match: "x" }),
    `MSM_ROUTE_MATCH ${route}.match.headers[0].name`,
  ],
  [
    "a regular expression with flags",
    headerMatch({ name: "a", safe_regex_match: { regex: "(?i)x" } }),
    `MSM_ROUTE_REGEX ${route}.match.headers[0].safe_regex_match.regex`,
  ],
  [
    "a runtime key",
    routeJson("c", { match: { runtime_fraction: { default_value: {}, runtime_key: "k" } } }),
    `MSM_CONFIG_UNSUPPORTED_VALUE ${route}.match.runtime_fraction.runtime_key`,
  ],
  [
    "a time-out",
    routeJson("c", { action: { timeout: "3s" } }),
    `MSM_CONFIG_UNSUPPORTED_FIELD ${route}.route.timeout`,
  ],
  [
    "two rewrites of the path",
    routeJson("c", {
      action: { prefix_rewrite: "/a", regex_rewrite: { pattern: { regex: "a" }, substitution: "b" } },
    }),
    `MSM_ROUTE_ACTION ${route}.route.regex_rewrite`,
  ],
  [
    "a substitution without its group",
    routeJson("c", { action: { regex_rewrite: { pattern: { regex: "a" }, substitution: "\\1" } } }),
    `MSM_ROUTE_ACTION ${route}.route.regex_rewrite.substitution`,
  ],
  [
    "weights of nothing",
    { match: { prefix: "/" }, route: { weighted_clusters: { clusters: [{ name: "a", weight: 0 }] } } },
    `MSM_ROUTE_ACTION ${route}.route.weighted_clusters.clusters`,
  ],
  [
    "hashes that would be mixed",
    routeJson("c", {
      action: { hash_policy: [{ header: { header_name: "a" } }, { header: { header_name: "b" } }] },
    }),
    `MSM_ROUTE_ACTION ${route}.route.hash_policy[0].terminal`,
  ],
])("%s is refused", async (_, json, expected) => {
  const answer = await refusal("routeConfiguration", "edge", routesJson("edge", [json]));
  expect(answer.replace(/ .*\.(action|path_specifier)$/, " $1")).toBe(expected);
});

test("a domain stands in one place, with at most one star", async () => {
  const hosts = (domains: readonly string[]) => ({
    ...routesJson("edge"),
    virtual_hosts: domains.map((domain, i) => ({ name: `h${i}`, domains: [domain] })),
  });
  expect(await refusal("routeConfiguration", "edge", hosts(["a.test", "A.test"]))).toBe(
    "MSM_ROUTE_DOMAIN virtual_hosts[1].domains",
  );
  expect(await refusal("routeConfiguration", "edge", hosts(["a.*.test"]))).toBe(
    "MSM_ROUTE_DOMAIN virtual_hosts[0].domains[0]",
  );
  expect(await refusal("routeConfiguration", "edge", hosts(["*.test", "*", "a.*", "a:1"]))).toBe("accepted");
});
