// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** Longest metric name that a filter may define, labels included; bounds what a bad filter can make us keep. */
export const MAX_METRIC_NAME_BYTES = 512;

const SHAPE = /^([a-zA-Z_:][a-zA-Z0-9_:.]*)(?:\{([^{}]*)\})?$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="([^"\\]*)"(,|$)/y;

/** A metric's name and labels. */
export interface MetricName {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Splits a name as filters give it, `rtp_lost{kind="audio"}`. Dots, which Envoy's filters use, become
 * underscores. Null where it is no metric name.
 */
export function parseMetricName(text: string): MetricName | null {
  const match = SHAPE.exec(text);
  if (match?.[1] === undefined) return null;
  const labels = parseLabels(match[2] ?? "");
  return labels && { name: match[1].replaceAll(".", "_"), labels };
}

function parseLabels(text: string): Record<string, string> | null {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  let end = 0;
  while (end < text.length) {
    const match = LABEL.exec(text);
    if (match?.[1] === undefined || match[2] === undefined) return null;
    labels[match[1]] = match[2];
    end = LABEL.lastIndex;
  }
  return labels;
}
