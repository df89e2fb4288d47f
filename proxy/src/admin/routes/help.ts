// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { AdminRequest, AdminRoute } from "../route.ts";

/** Lists the paths. */
export const route: AdminRoute = {
  path: "/help",
  method: "GET",
  summary: "This list.",
  handle: ({ routes: all }: AdminRequest) => {
    const routes = all.filter(({ summary }) => summary !== "");
    const width = Math.max(...routes.map(({ path, method }) => path.length + method.length + 1));
    const lines = routes.map(
      ({ path, method, summary }) => `${`${method} ${path}`.padEnd(width)}  ${summary}\n`,
    );
    return { body: lines.join("") };
  },
};
