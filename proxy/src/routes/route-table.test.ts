// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { compileRegex } from "./regex/compile-regex.ts";
import type { ForwardAction, RoutePlan, VirtualHostPlan } from "./route-plan.ts";
import { type RoutedRequest, RouteTable } from "./route-table.ts";

const never = () => 0.999_999;

function forwardTo(name: string, changes: Partial<ForwardAction> = {}): ForwardAction {
  const clusters = [{ name, weight: 1 }];
  return {
    kind: "forward",
    clusters,
    pathRewrite: undefined,
    hostRewrite: undefined,
    hashes: [],
    ...changes,
  };
}

const prefix = (value: string, isCaseSensitive = true) =>
  ({ kind: "prefix", value, isCaseSensitive }) as const;

function route(cluster: string, changes: Partial<RoutePlan> = {}): RoutePlan {
  const action = forwardTo(cluster);
  return { name: `to ${cluster}`, path: prefix("/"), headers: [], fraction: 1, action, ...changes };
}

function host(domains: readonly string[], ...routes: readonly RoutePlan[]): VirtualHostPlan {
  return { name: domains.join(), domains, routes };
}

const table = (...hosts: readonly VirtualHostPlan[]): RouteTable => new RouteTable({ name: "edge", hosts });

function ask(from: RouteTable, path: string, changes: Partial<RoutedRequest> = {}, random = never) {
  const request = { host: "cam", path, method: "DESCRIBE", headers: {}, sourceIp: "192.0.2.1", ...changes };
  return from.select(request, random);
}

const clusterOf = (...args: Parameters<typeof ask>): string | undefined => {
  const result = ask(...args);
  return result.kind === "forward" ? result.cluster : undefined;
};

test("the most exact domain wins, with the port or without it", () => {
  const domains = ["cams.example.com", "*.example.com", "*.cams.example.com", "cams.*", "cam:8554", "*"];
  const routes = table(...domains.map((domain) => host([domain], route(domain))));
  const chosen = (name: string) => clusterOf(routes, "/", { host: name });
  expect(chosen("cams.example.com")).toBe("cams.example.com");
  expect(chosen("CAMS.example.com:554")).toBe("cams.example.com");
  expect(chosen("x.example.com")).toBe("*.example.com");
  expect(chosen("x.cams.example.com")).toBe("*.cams.example.com");
  expect(chosen("cams.test")).toBe("cams.*");
  expect(chosen("cam:8554")).toBe("cam:8554");
  expect(chosen("cam")).toBe("*");
  expect(chosen("[2001:db8::1]:554")).toBe("*");
});

test("paths match exactly, by prefix, by whole segments and by regular expression, without their query", () => {
  const routes = table(
    host(
      ["*"],
      route("exact", { path: { kind: "exact", value: "/a", isCaseSensitive: true } }),
      route("segments", { path: { kind: "segments", value: "/a", isCaseSensitive: true } }),
      route("regex", { path: { kind: "regex", regex: compileRegex("/b/\\d+") } }),
      route("loose", { path: { kind: "prefix", value: "/Loose", isCaseSensitive: false } }),
    ),
  );
  const asked = ["/a?x=1", "/a/track1", "/ab", "/b/7?q", "/b/7/8", "/lOOSEly", `/b/${"7".repeat(9_000)}`];
  expect(asked.map((path) => clusterOf(routes, path))).toEqual([
    ...["exact", "segments", undefined, "regex", undefined, "loose", undefined],
  ]);
});

test("headers and the method decide, too", () => {
  const method = { name: ":method", isInverted: false, isMissingEmpty: false } as const;
  const exact = { kind: "exact", value: "RECORD", isCaseSensitive: true } as const;
  const agent = { name: "user-agent", isMissingEmpty: false } as const;
  const contains = { kind: "contains", value: "VLC", isCaseSensitive: false } as const;
  const routes = table(
    host(
      ["*"],
      route("record", { headers: [{ ...method, test: exact }] }),
      route("vlc", { headers: [{ ...agent, test: contains, isInverted: false }] }),
      route("other", { headers: [{ ...agent, test: contains, isInverted: true }] }),
      route("silent", { headers: [{ ...agent, test: { kind: "present" }, isInverted: true }] }),
    ),
  );
  expect(clusterOf(routes, "/", { method: "RECORD" })).toBe("record");
  expect(clusterOf(routes, "/", { headers: { "user-agent": "LibVLC/3" } })).toBe("vlc");
  expect(clusterOf(routes, "/", { headers: { "user-agent": "ffmpeg" } })).toBe("other");
  expect(clusterOf(routes, "/")).toBe("silent");
});

describe("a route", () => {
  test("takes its fraction, and clusters take their weights", () => {
    const clusters = [
      { name: "stable", weight: 95 },
      { name: "canary", weight: 5 },
    ];
    const action = forwardTo("", { clusters });
    const routes = table(host(["*"], route("some", { fraction: 0.25 }), route("rest", { action })));
    const draws = [0.2, 0.3];
    expect(clusterOf(routes, "/", {}, () => 0.2)).toBe("some");
    expect(clusterOf(routes, "/", {}, () => draws.pop() ?? 0)).toBe("stable");
    expect(clusterOf(routes, "/", {}, () => 0.951)).toBe("canary");
  });

  test("rewrites the path and the host, and keeps the query", () => {
    const action = forwardTo("c", {
      pathRewrite: { kind: "prefix", value: "/internal" },
      hostRewrite: "cam.local",
    });
    const byPrefix = table(host(["*"], route("c", { path: prefix("/cams"), action })));
    expect(ask(byPrefix, "/cams/lobby?a=1")).toMatchObject({
      host: "cam.local",
      path: "/internal/lobby?a=1",
    });
    const regex = compileRegex("^/cams/(\\w+)");
    const rewrite = { kind: "regex", regex, substitution: "/\\1/live" } as const;
    const byRegex = table(host(["*"], route("c", { action: forwardTo("c", { pathRewrite: rewrite }) })));
    expect(ask(byRegex, "/cams/lobby?a=1")).toMatchObject({ host: "cam", path: "/lobby/live?a=1" });
  });

  test("names what the endpoint is chosen by: the first thing that the request has", () => {
    const hashes = [{ kind: "header", name: "session" }, { kind: "path" }] as const;
    const routes = table(host(["*"], route("c", { action: forwardTo("c", { hashes }) })));
    expect(ask(routes, "/a?b")).toMatchObject({ hashKey: "/a?b" });
    expect(ask(routes, "/a", { headers: { session: "7" } })).toMatchObject({ hashKey: "7" });
    const byState = forwardTo("c", { hashes: [{ kind: "state", name: "room" }, { kind: "source" }] });
    const stateful = table(host(["*"], route("c", { action: byState })));
    const state = (name: string) => (name === "room" ? "lobby" : undefined);
    expect(ask(stateful, "/", { state })).toMatchObject({ hashKey: "lobby" });
    expect(ask(stateful, "/")).toMatchObject({ hashKey: "192.0.2.1" });
  });

  test("may be answered by the proxy", () => {
    const action = { kind: "direct", status: 451, body: "not here" } as const;
    const routes = table(host(["*"], route("none", { action })));
    expect(ask(routes, "/")).toEqual({ kind: "direct", route: "to none", status: 451, body: "not here" });
  });
});

test("a request without a route is told why", () => {
  const routes = table(host(["cams.test"], route("c", { path: prefix("/lobby") })));
  expect(ask(routes, "/lobby")).toEqual({
    kind: "none",
    reason: 'no virtual host of edge has the domain "cam"',
  });
  expect(ask(routes, "/hall?x", { host: "cams.test" })).toEqual({
    kind: "none",
    reason: "no route of virtual host cams.test matches DESCRIBE /hall",
  });
});
