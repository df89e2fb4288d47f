// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type AdminRoute, BadRequest } from "../route.ts";

/** Ends listeners, as Envoy's path of that name does. */
export const route: AdminRoute = {
  path: "/drain_listeners",
  method: "POST",
  summary:
    "Closes the listeners; with ?graceful they refuse newcomers for --drain-time-s before, and stay open with &skip_exit; ?inboundonly spares others than INBOUND.",
  async handle({ query, context }) {
    const isGraceful = query.has("graceful");
    const staysOpen = query.has("skip_exit");
    if (staysOpen && !isGraceful) throw new BadRequest("skip_exit does nothing without graceful");
    await context.drainListeners({ isGraceful, staysOpen, inboundOnly: query.has("inboundonly") });
    return { body: "OK\n" };
  },
};
