// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Soak } from "../soak.ts";
import { mutatedModules } from "./mutated-modules.ts";

/** Modules that no compiler made. */
export const soak: Soak = {
  title: "a minute of modules damaged at random: the host survives them all, and no datagram is lost",
  run: mutatedModules,
};
