// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { renderPrometheus } from "./render-prometheus.ts";

test("names of Envoy's statistics get the prefix and underscores, and HELP and TYPE come once", async () => {
  const name = "udp.downstream_sess_rx_bytes";
  const text = await renderPrometheus([
    { kind: "counter", name, help: "Bytes received", labels: { envoy_udp_prefix: "x" }, value: 5 },
    { kind: "counter", name, help: "Bytes received", labels: { envoy_udp_prefix: 'y"z' }, value: 6 },
  ]);
  expect(text.trim().split("\n")).toEqual([
    "# HELP envoy_udp_downstream_sess_rx_bytes Bytes received",
    "# TYPE envoy_udp_downstream_sess_rx_bytes counter",
    'envoy_udp_downstream_sess_rx_bytes{envoy_udp_prefix="x"} 5',
    'envoy_udp_downstream_sess_rx_bytes{envoy_udp_prefix="y\\"z"} 6',
  ]);
});

test("our own names stay as they are, and a histogram has its buckets up to +Inf, its sum and its count", async () => {
  const value = { bounds: [0.001, 0.01], cumulative: [1, 3], count: 4, sum: 0.5 };
  const text = await renderPrometheus([
    { kind: "histogram", name: "msm_rtp_jitter_seconds", help: "Jitter", labels: { l: "a" }, value },
  ]);
  expect(text.trim().split("\n")).toEqual([
    "# HELP msm_rtp_jitter_seconds Jitter",
    "# TYPE msm_rtp_jitter_seconds histogram",
    'msm_rtp_jitter_seconds_bucket{l="a",le="0.001"} 1',
    'msm_rtp_jitter_seconds_bucket{l="a",le="0.01"} 3',
    'msm_rtp_jitter_seconds_bucket{l="a",le="+Inf"} 4',
    'msm_rtp_jitter_seconds_sum{l="a"} 0.5',
    'msm_rtp_jitter_seconds_count{l="a"} 4',
  ]);
});
