// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { BenchTable, FigureGoal, FigureTable } from "./bench.ts";
import { median, ratios } from "./statistics.ts";

/** A table as Markdown, each number as median and spread, and below it what was aimed at. */
export function renderTable(table: BenchTable | FigureTable): string {
  return "figures" in table ? renderFigures(table) : renderCosts(table);
}

/** Nanoseconds per datagram and the ratio to the reference. */
function renderCosts({ scenario, reference, rows, goals = [] }: BenchTable): string {
  const costOf = (row: string): readonly number[] | undefined =>
    rows.find(({ name }) => name === row)?.nsPerDatagram;
  const lines = rows.map(({ name, nsPerDatagram, cpus, lost, sent }) => {
    const ratio = ratios(nsPerDatagram, costOf(reference)!);
    const share = ((100 * lost) / sent).toFixed(2);
    return `| ${name} | ${withSpread(nsPerDatagram, 0)} | ${withSpread(ratio, 2)} | ${median(cpus).toFixed(2)} | ${share} % |`;
  });
  const aims = goals.flatMap(({ row, atMost, to = reference }) => {
    const [costs, others] = [costOf(row), costOf(to)];
    return costs && others ? [aim(`${row} to ${to}`, ratios(costs, others), { atMost })] : [];
  });
  return [
    `**${scenario}**`,
    "",
    `| relay | ns per datagram | ratio to ${reference} | CPUs | lost |`,
    "|---|---|---|---|---|",
    ...lines,
    ...after(aims),
  ].join("\n");
}

/** A line for each figure, a column for each program. */
function renderFigures({ scenario, figures, programs, goals = [] }: FigureTable): string {
  const valuesOf = (program: string, figure: string): readonly number[] | undefined => {
    const index = figures.indexOf(figure);
    return programs.find(({ name }) => name === program)?.rounds.map((round) => round[index]!);
  };
  const lines = figures.map((figure) => {
    const cells = programs.map(({ name }) => {
      const values = valuesOf(name, figure)!;
      return withSpread(values, Math.max(...values) < 10 ? 2 : 0);
    });
    return `| ${figure} | ${cells.join(" | ")} |`;
  });
  const aims = goals.flatMap((goal) => {
    const { figure, program, to } = goal;
    const values = valuesOf(program, figure);
    if (to === undefined) return values ? [aim(`${figure}: ${program}`, values, goal)] : [];
    const others = valuesOf(to, figure);
    return values && others ? [aim(`${figure}: ${program} to ${to}`, ratios(values, others), goal)] : [];
  });
  return [
    `**${scenario}**`,
    "",
    `| | ${programs.map(({ name }) => name).join(" | ")} |`,
    `|---|${programs.map(() => "---|").join("")}`,
    ...lines,
    ...after(aims),
  ].join("\n");
}

function aim(
  name: string,
  values: readonly number[],
  { atMost, atLeast }: Pick<FigureGoal, "atMost" | "atLeast">,
): string {
  const value = median(values);
  const isReached = value <= (atMost ?? value) && value >= (atLeast ?? value);
  const bound = atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`;
  return `- ${name}: ${withSpread(values, 2)}, aim ${bound}, ${isReached ? "reached" : "not reached"}`;
}

function after(lines: readonly string[]): readonly string[] {
  return lines.length > 0 ? ["", ...lines] : [];
}

function withSpread(values: readonly number[], digits: number): string {
  if (values.some(Number.isNaN)) return "";
  const spread = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(digits));
  return `${median(values).toFixed(digits)} (${spread.join(" to ")})`;
}
