// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { AdminRoute } from "../route.ts";

/** Makes `/ready` say that no new clients should come. */
export const route: AdminRoute = {
  path: "/healthcheck/fail",
  method: "POST",
  summary: "Makes /ready answer 503 DRAINING; sessions go on.",
  handle: ({ context }) => {
    context.state.setDraining(true);
    return { body: "OK\n" };
  },
};
