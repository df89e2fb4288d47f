// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type AdminRoute, BadRequest } from "../route.ts";

/** Lets a datapath worker fail, to see that it is rebuilt. Answers only where the proxy was started to allow it. */
export const route: AdminRoute = {
  path: "/workers/kill",
  method: "POST",
  summary:
    "Lets datapath worker ?worker=N die (?how=throw) or hang (?how=spin); needs --enable-fault-injection.",
  handle: ({ query, context }) => {
    if (!context.isFaultInjectionEnabled) {
      return { status: 403, body: "start the proxy with --enable-fault-injection to use this\n" };
    }
    const how = query.get("how") ?? "throw";
    if (how !== "throw" && how !== "spin") throw new BadRequest(`how: "${how}" is neither throw nor spin`);
    const worker = Number(query.get("worker") ?? 0);
    if (!context.datapath()?.fail(worker, how)) throw new BadRequest(`there is no worker ${worker}`);
    return { body: "OK\n" };
  },
};
