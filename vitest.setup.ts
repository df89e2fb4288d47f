// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// Property tests draw the same values in every run, so that a change is judged by itself. `MSM_TEST_SEED=N` draws others;
// `npm run soak -- properties` draws new ones for as long as one likes, and names the seed of what it finds.

import { readFileSync } from "node:fs";
import { expect } from "vitest";

const DEFAULT_SEED = 20_260_101;

const { testPath } = expect.getState();
// Loading fast-check costs a tenth of a second, and most test files do without it.
if (testPath !== undefined && readFileSync(testPath, "utf8").includes('"fast-check"')) {
  const { default: fc } = await import("fast-check");
  fc.configureGlobal({ seed: Number(process.env.MSM_TEST_SEED ?? DEFAULT_SEED) });
}
