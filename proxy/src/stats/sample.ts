// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** A histogram's state: cumulative counts per upper bound, as Prometheus has them. */
export interface HistogramValue {
  /** Upper bounds, ascending, without +Inf. */
  readonly bounds: readonly number[];
  /** Observations at or below each bound; same length as `bounds`. */
  readonly cumulative: readonly number[];
  readonly count: number;
  readonly sum: number;
}

/** One statistic at one moment. */
export interface Sample {
  readonly kind: "counter" | "gauge" | "histogram";
  /**
   * Envoy's dotted name with the tags removed, e.g. `udp.downstream_sess_rx_bytes`, or for our own metrics and
   * those of filters the Prometheus name itself, e.g. `msm_rtp_packets_total`.
   */
  readonly name: string;
  /**
   * The name in `/stats`: Envoy's dotted name with the tag values in place, e.g.
   * `udp.edge.downstream_sess_rx_bytes`. Absent where the name has no such form.
   */
  readonly dottedName?: string;
  readonly help?: string;
  /** Labels by their Prometheus names, e.g. `{envoy_udp_prefix: "edge"}`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | HistogramValue;
}
