// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Suite } from "../../runner/suite.ts";
import { hostileFilters } from "./hostile-filters.ts";
import { newcomersWalks } from "./newcomers-walk.ts";

/** Filters in a mesh that runs: how one is written, and what the worst of them do. */
export const suite: Suite = {
  title: "filters are written, exchanged and kept in bounds under traffic",
  needs: [],
  scenarios: [...newcomersWalks, ...hostileFilters],
};
