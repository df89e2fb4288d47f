// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { startProxy } from "@msm/proxy";
import { fromJson } from "@msm/xds-protos";
import { FlowEvent_Kind, FlowSchema } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";

// fan-out-relay COPIES [rewrite]: a proxy with one flow, 127.0.0.1:7001 -> 127.0.1.1 .. 127.0.1.250, 127.0.2.1 and so on,
// port 7002, with the filter rtp-stats; with `rewrite` each receiver has an SSRC and sequence numbers of its own.
const copies = Number(process.argv[2]);
const isRewritten = process.argv[3] === "rewrite";

const proxy = await startProxy({
  bootstrap: {
    node: { id: "bench", cluster: "bench" },
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: 0 } } },
  },
  concurrency: 1,
});
proxy.flows.subscribe("bench", ({ event: { kind, message } }) => {
  if (kind === FlowEvent_Kind.FAILED) throw new Error(message);
});
proxy.flows.put("bench", fromJson(FlowSchema, flow()));
process.once("SIGTERM", () => void proxy.close());

function flow() {
  const local = { ip: "127.0.0.1" };
  const receiver = (i: number) => ({
    id: `r${i}`,
    enabled: true,
    udp: {
      local,
      remote: { ip: `127.0.${1 + Math.floor(i / 250)}.${1 + (i % 250)}`, port: 7002 },
      rtcp: "MUX",
    },
    ...(isRewritten ? { rewrite: { ssrc: 0x10000 + i, continuous: true } } : {}),
  });
  return {
    id: "fanout",
    sources: [
      {
        id: "in",
        enabled: true,
        // The generator of each round comes from another port, with the same SSRC.
        udp: { local: { ...local, port: 7001 }, rtcp: "MUX", latch: "LATCH_SSRC" },
      },
    ],
    receivers: Array.from({ length: copies }, (_, i) => receiver(i)),
  };
}
