// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { until } from "@msm/deploy";
import type { Scenario } from "../../runner/suite.ts";
import { FlowProxy } from "../../traffic/flow-proxy.ts";
import type { FlowViewer } from "../../traffic/flow-viewer.ts";
import { openFlowStream } from "../../traffic/open-flow-stream.ts";

const LIMIT_MS = 200;
/** Times that the worker dies: once may be while the machine does something else. */
const KILLS = 2;
const INTERVAL_MS = 5;
const FLOWS = 8;
const VIEWERS = 3;

/** The only worker, which has every flow, dies as by a defect; the quickest return counts, and none may mix anything up. */
export function flowWorkerKilled(io: string): Scenario {
  return {
    title: `flows run again within ${LIMIT_MS} ms after their worker died, on the same ports with the next numbers (--io ${io})`,
    run: async (context) => {
      const proxy = await FlowProxy.start({ concurrency: 1, io });
      context.defer(() => proxy.close());
      const streams = Array.from({ length: FLOWS }, (_, stream) => openFlowStream(proxy, stream, VIEWERS));
      const flows = await Promise.all(streams);
      const viewers = flows.flatMap((flow) => flow.viewers);
      const timer = setInterval(() => {
        for (const { source } of flows) source.send();
      }, INTERVAL_MS);
      context.defer(() => {
        clearInterval(timer);
        for (const each of [...viewers, ...flows.map(({ source }) => source)]) each.close();
      });
      await until("every viewer received 100 datagrams", () =>
        viewers.every(({ received }) => received >= 100),
      );
      const gapsMs: number[] = [];
      for (let kill = 0; kill < KILLS; kill++) {
        for (const viewer of viewers) viewer.longestGapMs = 0;
        const goals = viewers.map(({ received }) => received + 200);
        await proxy.killWorker(0);
        const isDone = () => viewers.every(({ received }, index) => received >= goals[index]!);
        await until("every viewer received 200 more", isDone);
        gapsMs.push(Math.max(...viewers.map(({ longestGapMs }) => longestGapMs)));
      }
      assert.equal(await proxy.restarts(), KILLS, "workers were rebuilt another number of times");
      const total = (read: (viewer: FlowViewer) => number) =>
        viewers.reduce((sum, each) => sum + read(each), 0);
      const gaps = gapsMs.map((gapMs) => gapMs.toFixed(0)).join(", ");
      context.note(`${gaps} ms without media, ${total((each) => each.missing)} datagrams lost`);
      assert.equal(
        total((each) => each.breaks),
        0,
        "a port, an SSRC or the numbering changed",
      );
      assert.equal(
        total((each) => each.repeated),
        0,
        "a number came twice, or late",
      );
      assert.equal(
        total((each) => each.crossed),
        0,
        "a datagram came to a viewer of another flow",
      );
      assert.ok(Math.min(...gapsMs) <= LIMIT_MS, `${gaps} ms without media`);
    },
  };
}
