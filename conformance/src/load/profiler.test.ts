// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { topFunctions } from "./profiler.ts";

const frame = (functionName: string, url = "") => ({ functionName, url });

test("the functions of all threads come with their share of the samples that were not idle, largest first", () => {
  const nodes = [
    { id: 1, callFrame: frame("(idle)") },
    { id: 2, callFrame: frame("relay", "file:///proxy/dist/core.js") },
    { id: 3, callFrame: frame("") },
  ];
  const rows = topFunctions([
    { nodes, samples: [1, 1, 2, 3] },
    { nodes, samples: [2, 2, 1] },
  ]);
  expect(rows).toEqual([" 75.00%  relay core.js", " 25.00%  (anonymous)"]);
});
