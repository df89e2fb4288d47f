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

test("what a program does not have is left empty, and a figure is held against what it should be", () => {
  const table = renderTable({
    scenario: "two streams",
    figures: ["time, ms", "memory, kB"],
    programs: [
      { name: "one", rounds: [[20, 45]] },
      { name: "other", rounds: [[30, Number.NaN]] },
    ],
    goals: [
      { figure: "time, ms", program: "one", atMost: 10 },
      { figure: "memory, kB", program: "one", atMost: 50 },
    ],
  });
  expect(table.split("\n").slice(4)).toEqual([
    "| time, ms | 20 (20 to 20) | 30 (30 to 30) |",
    "| memory, kB | 45 (45 to 45) |  |",
    "",
    "- time, ms: one: 20.00 (20.00 to 20.00), aim at most 10, not reached",
    "- memory, kB: one: 45.00 (45.00 to 45.00), aim at most 50, reached",
  ]);
});

test("a table of costs says what was aimed at, and whether the median of the rounds' ratios reaches it", () => {
  const row = (name: string, nsPerDatagram: readonly number[]) => {
    return { name, nsPerDatagram, cpus: [0.5], lost: 1, sent: 200 };
  };
  const table = renderTable({
    scenario: "calls",
    reference: "c",
    rows: [row("c", [100, 200]), row("ours", [120, 260]), row("theirs", [240, 520])],
    goals: [
      { row: "ours", atMost: 1.2 },
      { row: "ours", to: "theirs", atMost: 0.75 },
      { row: "ours", to: "somebody who is not here", atMost: 1 },
    ],
  });
  expect(table.split("\n").slice(2)).toEqual([
    "| relay | ns per datagram | ratio to c | CPUs | lost |",
    "|---|---|---|---|---|",
    "| c | 150 (100 to 200) | 1.00 (1.00 to 1.00) | 0.50 | 0.50 % |",
    "| ours | 190 (120 to 260) | 1.25 (1.20 to 1.30) | 0.50 | 0.50 % |",
    "| theirs | 380 (240 to 520) | 2.50 (2.40 to 2.60) | 0.50 | 0.50 % |",
    "",
    "- ours to c: 1.25 (1.20 to 1.30), aim at most 1.2, not reached",
    "- ours to theirs: 0.50 (0.50 to 0.50), aim at most 0.75, reached",
  ]);
});

test("a figure may have to be at least a part of another program's", () => {
  const table = renderTable({
    scenario: "rates",
    figures: ["rate"],
    programs: [
      { name: "c", rounds: [[200]] },
      { name: "ours", rounds: [[180]] },
    ],
    goals: [{ figure: "rate", program: "ours", to: "c", atLeast: 0.85 }],
  });
  expect(table).toContain("- rate: ours to c: 0.90 (0.90 to 0.90), aim at least 0.85, reached");
});
