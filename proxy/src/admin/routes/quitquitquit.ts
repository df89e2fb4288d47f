// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { AdminRoute } from "../route.ts";

/** Ends the proxy. */
export const route: AdminRoute = {
  path: "/quitquitquit",
  method: "POST",
  summary: "Stops the proxy.",
  handle: ({ context }) => {
    context.quit();
    return { body: "OK\n" };
  },
};
