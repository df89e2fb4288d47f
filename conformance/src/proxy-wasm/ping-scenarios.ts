// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { until } from "@msm/deploy";
import type { Scenario, ScenarioContext } from "../runner/suite.ts";
import { PingProxy, WORD } from "./ping-proxy.ts";

const ADDRESS = "127.0.0.1";
const DATAGRAMS = 200;

/** A module of somebody else's SDK. */
export interface SdkModule {
  /** As in a sentence. */
  readonly name: string;
  readonly rootId: string;
  /** Fetches the SDK and compiles the module as the SDK's documentation says. */
  build(context: ScenarioContext): Promise<Uint8Array>;
}

/** What such a module has to do, unmodified. Compiling it takes most of the time. */
export function pingScenarios(module: SdkModule): readonly Scenario[] {
  const start = async (context: ScenarioContext): Promise<PingProxy> => {
    const bytes = await module.build(context);
    context.note(`${module.name}: ${bytes.length} bytes`);
    return PingProxy.start(context, bytes, module.rootId);
  };
  return [
    {
      title: `a network filter of ${module.name} runs on UDP unmodified, one datagram a callback`,
      timeoutMs: 180_000,
      run: async (context) => pingDatagrams(context, await start(context)),
    },
    {
      title: `a network filter of ${module.name} runs on TCP unmodified, from the connection to its close`,
      timeoutMs: 180_000,
      run: async (context) => pingConnection(await start(context)),
    },
  ];
}

async function pingDatagrams(context: ScenarioContext, proxy: PingProxy): Promise<void> {
  const socket = createSocket("udp4");
  context.defer(() => socket.close());
  const answers: string[] = [];
  socket.on("message", (datagram) => answers.push(datagram.toString()));
  socket.connect(proxy.udpPort, ADDRESS);
  await once(socket, "connect");
  socket.send("drop this");
  for (let i = 0; i < DATAGRAMS; i++) socket.send(`ping ${i}`);
  await until("every datagram came back", () => answers.length >= DATAGRAMS);
  // The first byte is the endpoint's, and then the filter's on the way back.
  const expected = Array.from({ length: DATAGRAMS }, (_, i) => `*${WORD.slice(1)} ${i}`);
  assert.deepEqual(answers, expected);
  assert.equal(
    await proxy.metric("envoy_sdk_chunks", "udp"),
    DATAGRAMS + 1,
    "callbacks, the dropped one included",
  );
  assert.equal(await proxy.metric("msm_filter_dropped_total", "udp"), 1, "datagrams dropped");
  assert.equal(await proxy.metric("msm_filter_failures_total", "udp"), 0, "failures");
}

async function pingConnection(proxy: PingProxy): Promise<void> {
  const socket = connect(proxy.tcpPort, ADDRESS).setNoDelay(true);
  let text = "";
  socket.on("data", (data) => {
    text += data.toString();
  });
  const errors: Error[] = [];
  socket.on("error", (error) => errors.push(error));
  await once(socket, "connect");
  socket.write("ping one");
  await until("the answer came", () => text.length >= WORD.length + 4);
  assert.equal(text, `*${WORD.slice(1)} one`);
  text = "";
  socket.write("drop this");
  socket.write("ping two");
  // TCP may put both into one piece, of which the filter drops all.
  await until("both were seen", async () => (await proxy.metric("envoy_sdk_chunks", "tcp")) >= 2);
  socket.end();
  await once(socket, "close");
  await until("both sides were told of", async () => (await proxy.metric("envoy_sdk_closes", "tcp")) === 2);
  assert.deepEqual(errors, [], "errors of the connection");
  assert.ok(!text.includes("drop"), text);
  assert.equal(await proxy.metric("msm_filter_failures_total", "tcp"), 0, "failures");
}
