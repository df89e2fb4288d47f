// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { renderJson, renderText } from "./render-envoy.ts";
import type { Sample } from "./sample.ts";

const samples: readonly Sample[] = [
  { kind: "gauge", name: "server.state", labels: {}, value: 0 },
  {
    kind: "counter",
    name: "udp.downstream_sess_rx_bytes",
    dottedName: "udp.edge.downstream_sess_rx_bytes",
    labels: { envoy_udp_prefix: "edge" },
    value: 1316,
  },
  { kind: "counter", name: "msm_rtp_packets_total", labels: { listener: 'a "b"' }, value: 2 },
  {
    kind: "histogram",
    name: "msm_rtp_jitter_seconds",
    labels: {},
    value: { bounds: [0.001, 0.01], cumulative: [1, 3], count: 4, sum: 0.5 },
  },
];

test("text has a line per statistic, sorted, with tags in place and labels where a name has no dotted form", () => {
  expect(renderText(samples)).toBe(
    [
      'msm_rtp_packets_total{listener="a \\"b\\""}: 2',
      "server.state: 0",
      "udp.edge.downstream_sess_rx_bytes: 1316",
      "msm_rtp_jitter_seconds: B0.001(1,1) B0.01(3,3)",
      "",
    ].join("\n"),
  );
});

test("JSON has Envoy's shape: plain statistics, then one object with the histograms", () => {
  expect(JSON.parse(renderJson(samples))).toEqual({
    stats: [
      { name: 'msm_rtp_packets_total{listener="a \\"b\\""}', value: 2 },
      { name: "server.state", value: 0 },
      { name: "udp.edge.downstream_sess_rx_bytes", value: 1316 },
      {
        histograms: [
          {
            name: "msm_rtp_jitter_seconds",
            buckets: [
              { upper_bound: 0.001, interval: 1, cumulative: 1 },
              { upper_bound: 0.01, interval: 3, cumulative: 3 },
            ],
          },
        ],
      },
    ],
  });
});

test("a histogram that saw nothing says so instead of showing empty buckets", () => {
  const empty = { bounds: [1], cumulative: [0], count: 0, sum: 0 };
  expect(renderText([{ kind: "histogram", name: "h", labels: {}, value: empty }])).toBe(
    "h: No recorded values\n",
  );
});
