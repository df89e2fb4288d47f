// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { FlowProxy } from "./flow-proxy.ts";
import { FlowSource } from "./flow-source.ts";
import { FlowViewer } from "./flow-viewer.ts";

/** A flow with its two ends. */
export interface FlowStream {
  readonly source: FlowSource;
  readonly viewers: readonly FlowViewer[];
}

/** Opens a flow whose viewers get SSRCs of their own, so that the worker has to know where each of them was. */
export async function openFlowStream(proxy: FlowProxy, stream: number, count: number): Promise<FlowStream> {
  const viewers = await Promise.all(Array.from({ length: count }, () => FlowViewer.start(stream)));
  const local = { ip: "127.0.0.1" };
  const legs = await proxy.put({
    id: `flow-${stream}`,
    sources: [{ id: "in", enabled: true, udp: { local, rtcp: "MUX", latch: "LATCH_ONCE" } }],
    receivers: viewers.map(({ port }, index) => ({
      id: `out-${index}`,
      enabled: true,
      udp: { local, remote: { ...local, port }, rtcp: "MUX" },
      rewrite: { ssrc: 1000 * stream + index + 1, continuous: true },
    })),
  });
  const port = legs.find(({ id }) => id === "in")?.local?.port;
  assert.ok(port, "the source has no port");
  return { viewers, source: await FlowSource.start(port, stream) };
}
