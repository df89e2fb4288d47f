// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { AdminRoute } from "../route.ts";

/** Ends listeners, as Envoy's path of that name does. */
export const route: AdminRoute = {
  path: "/drain_listeners",
  method: "POST",
  summary:
    "Closes the listeners; with ?graceful they refuse newcomers for 10 minutes before; ?inboundonly spares others than INBOUND.",
  async handle({ query, context }) {
    await context.drainListeners({
      isGraceful: query.has("graceful"),
      inboundOnly: query.has("inboundonly"),
    });
    return { body: "OK\n" };
  },
};
