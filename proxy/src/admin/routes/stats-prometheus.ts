// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { AdminRoute } from "../route.ts";
import { route as stats } from "./stats.ts";

/** What Prometheus scrapes. */
export const route: AdminRoute = {
  path: "/stats/prometheus",
  method: "GET",
  summary: "Statistics in the Prometheus text format; ?usedonly, ?filter=REGEX.",
  handle: (request) => {
    const query = new URLSearchParams(request.query);
    query.set("format", "prometheus");
    return stats.handle({ ...request, query });
  },
};
