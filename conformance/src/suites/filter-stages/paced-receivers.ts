// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { until } from "@msm/deploy";
import { create, fromJson, packAny, StringValueSchema } from "@msm/xds-protos";
import { type PluginConfig, PluginConfigSchema } from "@msm/xds-protos/envoy/extensions/wasm/v3/wasm_pb.js";
import { FlowSchema } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import type { Scenario, ScenarioContext } from "../../runner/suite.ts";
import { FlowProxy } from "../../traffic/flow-proxy.ts";

const ADDRESS = "127.0.0.1";
const LOCAL = { ip: ADDRESS };

/** A key frame that comes at once, and is to leave one datagram in a millisecond. */
const BURST = 150;
const DATAGRAM_BYTES = 1_250;
const BITS_PER_SECOND = 10_000_000;
const RECEIVERS = 4;

interface Receiver {
  readonly port: number;
  /** The number in each datagram, and when it came. */
  readonly heard: { readonly number: number; readonly atMs: number }[];
}

/** The copies of each receiver are spread over time by a filter behind the fan-out. */
export const pacedReceivers: Scenario = {
  title: "a burst leaves to each receiver of a flow as fast as the filter pace allows, in its order",
  run: async (context) => {
    const proxy = await FlowProxy.start({ concurrency: 1 });
    context.defer(() => proxy.close());
    const receivers = await Promise.all(Array.from({ length: RECEIVERS }, () => openReceiver(context)));
    const flow = fromJson(FlowSchema, {
      id: "lobby",
      sources: [{ id: "in", enabled: true, udp: { local: LOCAL, rtcp: "NONE", latch: "LATCH_ONCE" } }],
      receivers: receivers.map(({ port }, i) => ({
        id: `out-${i}`,
        enabled: true,
        udp: { local: LOCAL, remote: { ...LOCAL, port }, rtcp: "NONE" },
      })),
    });
    flow.chain = [pace()];
    const legs = await proxy.putMessage(flow);
    const startMs = performance.now();
    await sendBurst(legs.find(({ id }) => id === "in")!.local!.port);
    const wanted = Array.from({ length: BURST }, (_, i) => i);
    for (const { heard } of receivers) {
      await until("the whole burst arrived", () => heard.length >= BURST, 10_000);
      assert.deepEqual(
        heard.map(({ number }) => number),
        wanted,
      );
      // The machine may be late, but nothing may be early: datagram number n leaves n ms after the first came in.
      const tookMs = heard.at(-1)!.atMs - startMs;
      for (const { number, atMs } of heard) {
        assert.ok(atMs - startMs > number - 1, `datagram ${number} came after ${atMs - startMs} ms`);
      }
      context.note(`${BURST} datagrams at 1 ms each took ${tookMs.toFixed(0)} ms`);
    }
  },
};

/** The built-in filter pace, at the stage behind the fan-out. */
function pace(): PluginConfig {
  const value = JSON.stringify({ bitsPerSecond: BITS_PER_SECOND, perReceiver: true });
  const code = { local: { inlineString: "pace" } };
  const plugin = fromJson(PluginConfigSchema, {
    name: "pace",
    vmConfig: { runtime: "envoy.wasm.runtime.null", code },
  });
  plugin.configuration = packAny(StringValueSchema, create(StringValueSchema, { value }));
  return plugin;
}

async function openReceiver(context: ScenarioContext): Promise<Receiver> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 1 << 20 }).bind(0, ADDRESS);
  context.defer(() => socket.close());
  const heard: Receiver["heard"] = [];
  socket.on("message", (data) => heard.push({ number: data.readUInt16BE(0), atMs: performance.now() }));
  await once(socket, "listening");
  return { port: socket.address().port, heard };
}

async function sendBurst(port: number): Promise<void> {
  const camera = createSocket("udp4");
  const sent = Array.from({ length: BURST }, (_, number) => {
    const datagram = Buffer.alloc(DATAGRAM_BYTES);
    datagram.writeUInt16BE(number, 0);
    return new Promise<void>((resolve, reject) => {
      camera.send(datagram, port, ADDRESS, (error) => (error ? reject(error) : resolve()));
    });
  });
  await Promise.all(sent);
  camera.close();
}
