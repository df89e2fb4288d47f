// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { BenchTable } from "./bench.ts";
import { median, ratios } from "./statistics.ts";

/** A table as Markdown: nanoseconds per datagram and the ratio to the reference, each as median and spread. */
export function renderTable({ scenario, reference, rows }: BenchTable): string {
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

function spread(values: readonly number[], digits: number): string {
  return `${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)}`;
}
