// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { type AdminRoute, BadRequest } from "../route.ts";

/** Shows or changes how much is logged. */
export const route: AdminRoute = {
  path: "/logging",
  method: "POST",
  summary: "The level of the log; ?level=debug changes it.",
  handle: ({ query, context }) => {
    const level = query.get("level");
    if (level !== null && !context.setLogLevel(level)) {
      throw new BadRequest(`"${level}" is no level; use trace, debug, info, warn, error, fatal or silent`);
    }
    return { body: `level: ${context.logLevel()}\n` };
  },
};
