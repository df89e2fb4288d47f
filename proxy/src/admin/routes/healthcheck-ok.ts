// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { AdminRoute } from "../route.ts";

/** Takes `/healthcheck/fail` back. */
export const route: AdminRoute = {
  path: "/healthcheck/ok",
  method: "POST",
  summary: "Takes /healthcheck/fail back.",
  handle: ({ context }) => {
    context.state.setDraining(false);
    return { body: "OK\n" };
  },
};
