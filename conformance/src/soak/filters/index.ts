// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Soak } from "../soak.ts";
import { reloadsUnderLoad } from "./reloads-under-load.ts";

/** Filters exchanged again and again. */
export const soak: Soak = {
  title: "10,000 reloads of a filter under load: no leak, no lost datagram",
  run: reloadsUnderLoad,
};
