// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { fromJson } from "@msm/xds-protos";
import { type FlowEvent, FlowEvent_Kind, FlowSchema } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { startDatapath } from "../worker-pool.ts";

// few-files ENDPOINT_PORT...: a datapath with one listener, for a process that may have few files. It answers each message
// of its parent by one: "sessions", "open flows", "close a flow and open one", "end the worker".

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const pool = await startDatapath({ io: "mmsg", concurrency: 1, logger: silent });
const address = "127.0.0.1";
await pool.apply({
  listeners: [
    {
      ...{ name: "edge", statPrefix: "edge", cluster: "one", address: { address, port: 0 }, filters: [] },
      ...{ idleTimeoutMs: 60_000, maxRxDatagramBytes: 1500, preferGro: false },
    },
  ],
  clusters: [
    { name: "one", endpoints: process.argv.slice(2).map((port) => ({ address, port: Number(port) })) },
  ],
});

let answered: (event: FlowEvent) => void = () => {};
pool.flowService.subscribe("test", ({ event }) => answered(event));

function put(id: string): Promise<FlowEvent> {
  const leg = { id: "in", enabled: true, udp: { local: { ip: address }, rtcp: "MUX", latch: "LATCH_ONCE" } };
  return new Promise((resolve) => {
    answered = resolve;
    pool.flowService.put("test", fromJson(FlowSchema, { id, sources: [leg] }));
  });
}

function counter(name: string, label?: string): number {
  const isMeant = (sample: (typeof all)[number]): boolean =>
    sample.name === name && (label === undefined || Object.values(sample.labels).includes(label));
  const all = pool.samples();
  return Number(all.find(isMeant)?.value ?? 0);
}

async function answer(question: string): Promise<object> {
  if (question === "sessions") {
    return {
      sessionsRefused: counter("msm_datagrams_dropped_total", "no_session"),
      strangers: counter("msm_upstream_strangers_total"),
      restarts: counter("msm_worker_restarts_total"),
    };
  }
  if (question === "end the worker") return { isEnded: pool.fail(0, "throw") };
  if (question === "open flows") {
    let event = await put("flow 0");
    for (let i = 1; event.kind === FlowEvent_Kind.OPENED; i++) event = await put(`flow ${i}`);
    return { code: event.code, flowsRefused: counter("msm_flow_refused_total", event.code) };
  }
  await new Promise<FlowEvent>((resolve) => {
    answered = resolve;
    pool.flowService.close("test", "flow 0");
  });
  return { kind: (await put("flow 0")).kind };
}

process.on("message", (question: string) => void answer(question).then((reply) => process.send?.(reply)));
process.once("disconnect", () => void pool.close());
process.send?.({ port: pool.listeners()[0]!.localAddress.port });
