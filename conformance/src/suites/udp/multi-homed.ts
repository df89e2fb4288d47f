// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { freeUdpPorts } from "@msm/deploy";
import { meshYaml } from "../../mesh-yaml.ts";
import type { Scenario, ScenarioContext } from "../../runner/suite.ts";
import { EchoEndpoint } from "../../traffic/echo-endpoint.ts";
import { type NetworkLink, openNetworkLink, whyNoLink } from "../../traffic/network-link.ts";

const CLIENT = fileURLToPath(new URL("./connected-client.js", import.meta.url));

/** A version of IP: the addresses of this machine that the other one asks, and what both are given for that. */
interface Family {
  readonly listen: string;
  readonly endpoint: string;
  readonly asked: readonly string[];
  readonly near: readonly string[];
  readonly far: readonly string[];
}

/** The first address of each is the one that the system would answer from. */
const FAMILIES: readonly Family[] = [
  {
    listen: "0.0.0.0",
    endpoint: "127.0.0.1",
    asked: ["198.51.100.1", "203.0.113.7", "203.0.113.8"],
    near: ["203.0.113.7/24", "203.0.113.8/24"],
    far: ["203.0.113.9/24"],
  },
  {
    listen: "::",
    endpoint: "::1",
    asked: ["2001:db8:77::1", "2001:db8:77::2", "fe80::77:1%far", "fe80::77:2%far"],
    near: ["2001:db8:77::1/64", "2001:db8:77::2/64", "fe80::77:1/64", "fe80::77:2/64"],
    far: ["2001:db8:77::9/64", "fe80::77:9/64"],
  },
];

/** The clients are on another machine, as far as IP goes, and their sockets take datagrams from the asked address alone. */
export const multiHomed: Scenario = {
  title:
    "a listener on every address answers from the one that was asked, over IPv4, IPv6 and IPv6's link-local scope",
  lacks: whyNoLink,
  run: async (context) => {
    const link = await openNetworkLink();
    context.defer(() => link.close());
    for (const family of FAMILIES) await askEach(context, link, family);
  },
};

async function askEach(context: ScenarioContext, link: NetworkLink, family: Family): Promise<void> {
  for (const address of family.near) link.addNear(address);
  for (const address of family.far) link.addFar(address);
  const endpoint = await EchoEndpoint.start(family.endpoint, 1);
  context.defer(() => endpoint.close());
  const [port] = (await freeUdpPorts(1, family.endpoint)) as [number];
  const yaml = meshYaml({
    address: family.listen,
    listeners: [{ name: "echo", port, endpoints: [endpoint] }],
  });
  await context.startMesh({ io: "mmsg", config: { yaml }, ports: [port] });
  const [command, ...args] = link.enter;
  args.push(process.execPath, CLIENT, String(port), ...family.asked);
  const name = family.listen === "::" ? "client-6" : "client-4";
  const client = context.startPeer({ name, command, args, timeoutMs: 50_000, folder: context.folder });
  const { stdout } = await client.ended;
  assert.deepEqual(
    stdout.trim().split("\n"),
    family.asked.map((address) => `${address} answered`),
  );
  context.note(`asked and answered: ${family.asked.join(", ")}`);
}
