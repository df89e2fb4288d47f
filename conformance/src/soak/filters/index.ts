// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Soak } from "../soak.ts";
import { mutatedModules } from "./mutated-modules.ts";
import { reloadsUnderLoad } from "./reloads-under-load.ts";

/** Filters exchanged again and again, and modules that no compiler made. */
export const soak: Soak = {
  title: "10,000 reloads of a filter under load, and a minute of damaged modules: no leak, no lost datagram",
  run: async ({ deadlineMs, tell }) => {
    // A given time is for both.
    const half = (performance.now() + deadlineMs) / 2;
    await reloadsUnderLoad({ deadlineMs: half, tell });
    await mutatedModules({ deadlineMs, tell });
  },
};
