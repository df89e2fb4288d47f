// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Suite } from "../../runner/suite.ts";
import { hostileFilters } from "./hostile-filters.ts";
import { hostileOverEcds } from "./hostile-over-ecds.ts";
import { newcomersWalks } from "./newcomers-walk.ts";
import { walkOfReadme } from "./walk-of-readme.ts";

/** Filters in a mesh that runs: how one is written, and what the worst of them do. */
export const suite: Suite = {
  title: "filters are written, exchanged and kept in bounds under traffic",
  needs: [],
  scenarios: [walkOfReadme, ...newcomersWalks, ...hostileFilters, hostileOverEcds],
};
