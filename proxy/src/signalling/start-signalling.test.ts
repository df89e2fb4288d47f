// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { formatAddress } from "../config/read-address.ts";
import { type RunningProxy, startProxy } from "../start-proxy.ts";
import { switchboard } from "./testdata/switchboard.ts";
import { TestClient, until } from "./testdata/test-client.ts";
import { signallingModule } from "./testdata/wat-signalling.ts";

const loopback = (port: number) => ({ socket_address: { address: "127.0.0.1", port_value: port } });

let folder: string;
let proxy: RunningProxy;
let client: TestClient;
let viewer: Socket;
let received: Buffer[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "msm-signalling-"));
  writeFileSync(join(folder, "board.wasm"), signallingModule(switchboard()));
  proxy = await startProxy({ bootstrap: bootstrap(), concurrency: 1 });
  const [listener] = proxy.listeners();
  client = await TestClient.connect(listener?.localAddress ?? { address: "", port: 0 });
  received = [];
  viewer = createSocket("udp4");
  viewer.on("message", (datagram) => received.push(datagram));
  viewer.bind(0, "127.0.0.1");
  await once(viewer, "listening");
});

afterEach(async () => {
  client.close();
  viewer.close();
  await proxy.close();
  rmSync(folder, { recursive: true });
});

function bootstrap(): object {
  const filter = {
    name: "board",
    vm_config: { code: { local: { filename: join(folder, "board.wasm") } } },
  };
  const routes = [
    { match: { prefix: "/" }, direct_response: { status: 404, body: { inline_string: "none" } } },
  ];
  const typed_config = {
    "@type": "type.googleapis.com/msm.network.v1.SignallingProxy",
    stat_prefix: "edge",
    route_config: { name: "edge", virtual_hosts: [{ name: "all", domains: ["*"], routes }] },
    filter,
  };
  const listener = {
    name: "edge",
    address: loopback(0),
    filter_chains: [{ filters: [{ name: "signalling", typed_config }] }],
  };
  return { admin: { address: loopback(0) }, static_resources: { listeners: [listener] } };
}

async function get(path: string): Promise<string> {
  return (await fetch(`http://${formatAddress(proxy.adminAddress)}${path}`)).text();
}

/** An RTP packet without payload but for its text. */
function rtp(sequence: number, text: string): Buffer {
  const head = Buffer.from([0x80, 96, 0, sequence, 0, 0, 0, sequence, 0, 0, 0, 7]);
  return Buffer.concat([head, Buffer.from(text)]);
}

test("a listener of a static file speaks, and is seen in the admin interface", async () => {
  client.send('r{"host":"h","path":"/x","method":"DESCRIBE"}');
  await client.expect("none");
  expect(await get("/listeners")).toMatch(/^edge::127\.0\.0\.1:\d+\n$/);
  expect(await get("/stats/prometheus")).toContain('msm_signalling_connections_active{listener="edge"} 1');
});

test("packets that come inside a connection reach a receiver over UDP, and the other way round", async () => {
  const { port } = viewer.address();
  // The first connection of the first attachment.
  const connection = String(2 ** 32 + 1);
  const remote = { ip: "127.0.0.1", port };
  const toViewer = {
    stream: "up",
    sources: [{ id: "s", enabled: true, interleaved: { connection, rtpChannel: 0 } }],
    receivers: [{ id: "r", enabled: true, udp: { local: { ip: "127.0.0.1" }, remote, rtcp: "NONE" } }],
  };
  client.send(`f${JSON.stringify(toViewer)}`);
  await client.expect("O0F1");
  client.send(`i${rtp(1, "media").toString("latin1")}`);
  await client.expect("I0");
  await until(() => received.length === 1, "the packet");
  expect(received[0]?.subarray(12).toString()).toBe("media");
  const port2 = 20_000 + (process.pid % 10_000);
  const toClient = {
    stream: "down",
    sources: [
      {
        id: "s",
        enabled: true,
        udp: { local: { ip: "127.0.0.1", port: port2 }, remote, rtcp: "NONE" },
      },
    ],
    receivers: [{ id: "r", enabled: true, interleaved: { connection, rtpChannel: 4 } }],
  };
  await until(() => client.text.length >= 2, "the first packet's event");
  await client.expect("F3");
  client.send(`f${JSON.stringify(toClient)}`);
  await client.expect("O0F1");
  viewer.send(rtp(1, "back"), port2, "127.0.0.1");
  await until(() => client.text.includes("back"), "the frame");
  expect(client.text).toContain(`$\x04\x00\x10${rtp(1, "back").toString("latin1")}`);
});
