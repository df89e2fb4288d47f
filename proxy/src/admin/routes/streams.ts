// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { joinStreams } from "../join-streams.ts";
import type { AdminRoute } from "../route.ts";
import { streamsTable } from "../streams-table.ts";

/** The media streams that filters report, with what the far ends said of them. */
export const route: AdminRoute = {
  path: "/streams",
  method: "GET",
  summary: "Media streams as JSON, with loss, jitter and round trip; ?format=text for a table.",
  handle: async ({ query, context }) => {
    const streams = joinStreams((await context.datapath()?.streams()) ?? []);
    if (query.get("format") === "text") return { body: streamsTable(streams) };
    return { contentType: "application/json", body: `${JSON.stringify(streams, null, 1)}\n` };
  },
};
