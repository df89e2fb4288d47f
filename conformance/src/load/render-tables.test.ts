// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { renderTable } from "./render-tables.ts";

test("a table of figures has a line for each figure and a column for each program, with median and spread", () => {
  const table = renderTable({
    scenario: "two streams",
    figures: ["time, ms", "errors"],
    programs: [
      {
        name: "one",
        rounds: [
          [10, 0],
          [30, 0],
          [20, 1],
        ],
      },
      { name: "other", rounds: [[5.5, 0]] },
    ],
  });
  expect(table.split("\n").slice(2)).toEqual([
    "| | one | other |",
    "|---|---|---|",
    "| time, ms | 20 (10 to 30) | 5.50 (5.50 to 5.50) |",
    "| errors | 0.00 (0.00 to 1.00) | 0.00 (0.00 to 0.00) |",
  ]);
});
