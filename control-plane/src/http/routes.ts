// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { ControlPlaneState } from "../control-plane-state.ts";
import { groupOf } from "../snapshot/group.ts";
import type { SnapshotCache } from "../snapshot/snapshot-cache.ts";
import { configDump } from "../status/config-dump.ts";
import type { Metrics } from "../status/metrics.ts";
import type { ProxyRegistry } from "../status/proxy-registry.ts";
import { type GroupProgress, resourceReport } from "../status/resource-report.ts";
import { discoveryRoutes } from "./discovery-routes.ts";
import { type HttpAnswer, type HttpRoute, json, text } from "./http-server.ts";

/** What the routes look at. */
export interface Inspected {
  readonly plane: ControlPlaneState;
  readonly cache: SnapshotCache;
  readonly proxies: ProxyRegistry;
  readonly metrics: Metrics;
  /** `control_plane.identifier` of responses. */
  readonly identifier: string;
}

/** Every path of the control plane's HTTP port. */
export function httpRoutes({ plane, cache, proxies, metrics, identifier }: Inspected): readonly HttpRoute[] {
  return [
    {
      path: "/ready",
      about: "200 once the first snapshot stands, 503 before",
      answer: () => readiness(cache),
    },
    { path: "/metrics", about: "Prometheus metrics", answer: () => exposition(metrics) },
    {
      path: "/debug/resources",
      about: "each resource with its file, line, conditions and refusals",
      answer: () => json(resources(plane, cache, proxies)),
    },
    {
      path: "/debug/config_dump",
      about: "what each group of proxies is served, as Envoy's ConfigDump",
      answer: () => json({ groups: dumps(cache) }),
    },
    {
      path: "/debug/syncz",
      about: "what each connected proxy was sent, took and refused",
      answer: () => json({ proxies: proxies.sync().map(({ info, types }) => ({ ...info, types })) }),
    },
    ...discoveryRoutes({ cache, identifier, groupOf: (node) => groupOf(node).name }),
  ];
}

function readiness(cache: SnapshotCache): HttpAnswer {
  return cache.groups().length > 0 ? text(200, "ready\n") : text(503, "no configuration in force yet\n");
}

async function exposition({ registry }: Metrics): Promise<HttpAnswer> {
  return { status: 200, contentType: registry.contentType, body: await registry.metrics() };
}

function resources({ state }: ControlPlaneState, cache: SnapshotCache, proxies: ProxyRegistry): object {
  if (state === undefined) return { resources: [], refusals: [] };
  const progress = cache.groups().map(
    (name): GroupProgress => ({
      snapshot: cache.get(name)!,
      outcomes: (entries) => proxies.outcomes(name, entries),
    }),
  );
  return { resources: resourceReport(state, progress), refusals: state.refusals };
}

function dumps(cache: SnapshotCache): object {
  return Object.fromEntries(
    cache.groups().map((name) => {
      const snapshot = cache.get(name)!;
      const { version, isComplete } = snapshot;
      return [name, { version, is_complete: isComplete, ...configDump(snapshot) }];
    }),
  );
}
