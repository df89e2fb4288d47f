// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { until } from "@msm/deploy";
import type { Scenario, ScenarioContext } from "../../runner/suite.ts";
import { startEchoMesh } from "../../traffic/echo-mesh.ts";

/** The largest is what fits an IPv4 datagram: 65,535 bytes less 28 of headers. */
const SIZES = [0, 1, 2, 1472, 1473, 9000, 65_507, 0, 1];

/** Datagrams of every size, over both versions of IP, through one backend of the datapath. */
export function anySize(io: string): Scenario {
  return {
    title: `datagrams from 0 to 65,507 bytes come back as they were, over IPv4 and IPv6 (--io ${io})`,
    run: async (context) => {
      for (const address of ["127.0.0.1", "::1"]) {
        await echoSizes(context, address, io);
        context.note(`${address}: ${SIZES.join(", ")} bytes`);
      }
    },
  };
}

async function echoSizes(context: ScenarioContext, address: string, io: string): Promise<void> {
  const { port } = await startEchoMesh(context, { address, io });
  const client = createSocket({ type: address.includes(":") ? "udp6" : "udp4", recvBufferSize: 1 << 20 });
  context.defer(() => client.close());
  client.connect(port, address);
  await once(client, "connect");
  for (const size of SIZES) {
    const datagram = randomBytes(size);
    const answer = await echo(client, datagram, `${size} bytes came back over ${address}`);
    // The endpoint leaves its number in the first byte.
    assert.ok(answer.subarray(1).equals(datagram.subarray(1)), `${size} bytes changed on their way`);
    assert.equal(answer.length, size);
  }
}

async function echo(client: Socket, datagram: Buffer, what: string): Promise<Buffer> {
  let answer: Buffer | undefined;
  client.once("message", (message) => {
    answer = message;
  });
  client.send(datagram);
  return until(what, () => answer, 3000);
}
