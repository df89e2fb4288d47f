// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { BenchTable, FigureTable } from "./bench.ts";
import { median, ratios } from "./statistics.ts";

/** A table as Markdown, each number as median and spread. */
export function renderTable(table: BenchTable | FigureTable): string {
  return "figures" in table ? renderFigures(table) : renderCosts(table);
}

/** Nanoseconds per datagram and the ratio to the reference. */
function renderCosts({ scenario, reference, rows }: BenchTable): string {
  const base = rows.find(({ name }) => name === reference)!.nsPerDatagram;
  const lines = rows.map(({ name, nsPerDatagram, lost, sent }) => {
    const cost = `${median(nsPerDatagram).toFixed(0)} (${spread(nsPerDatagram, 0)})`;
    const ratio = ratios(nsPerDatagram, base);
    return `| ${name} | ${cost} | ${median(ratio).toFixed(2)} (${spread(ratio, 2)}) | ${((100 * lost) / sent).toFixed(2)} % |`;
  });
  return [
    `**${scenario}**`,
    "",
    `| relay | ns per datagram | ratio to ${reference} | lost |`,
    "|---|---|---|---|",
    ...lines,
  ].join("\n");
}

/** A line for each figure, a column for each program. */
function renderFigures({ scenario, figures, programs }: FigureTable): string {
  const cell = (values: readonly number[]): string => {
    const digits = Math.max(...values) < 10 ? 2 : 0;
    return `${median(values).toFixed(digits)} (${spread(values, digits)})`;
  };
  const lines = figures.map((figure, index) => {
    const cells = programs.map(({ rounds }) => cell(rounds.map((round) => round[index]!)));
    return `| ${figure} | ${cells.join(" | ")} |`;
  });
  return [
    `**${scenario}**`,
    "",
    `| | ${programs.map(({ name }) => name).join(" | ")} |`,
    `|---|${programs.map(() => "---|").join("")}`,
    ...lines,
  ].join("\n");
}

function spread(values: readonly number[], digits: number): string {
  return `${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)}`;
}
