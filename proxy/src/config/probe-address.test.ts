// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { expect, test } from "vitest";
import { probeAddress } from "./probe-address.ts";

test.each(["127.0.0.1", "::1"])(
  "a port of %s that is taken is told, with the reason; a free one is left free",
  async (address) => {
    const socket = createSocket(address === "::1" ? "udp6" : "udp4").bind(0, address);
    await once(socket, "listening");
    const { port } = socket.address();
    await expect(probeAddress({ address, port }, "address")).rejects.toMatchObject({
      code: "MSM_LISTENER_BIND",
      field: "address",
      message: expect.stringMatching(
        /EADDRINUSE.*; stop the other program that has the port, or use another/,
      ),
    });
    socket.close();
    await once(socket, "close");
    await probeAddress({ address, port }, "address");
    await probeAddress({ address, port }, "address");
  },
);

test.each(["udp", "tcp"] as const)(
  "an address that this host does not have is told, over %s",
  async (protocol) => {
    // TEST-NET-1 of RFC 5737 is nobody's address.
    const probed = probeAddress({ address: "192.0.2.1", port: 5004 }, "address", protocol);
    await expect(probed).rejects.toMatchObject({
      code: "MSM_LISTENER_BIND",
      field: "address",
      message: expect.stringMatching(
        /EADDRNOTAVAIL.*; this host does not have the address; use one of its own/,
      ),
    });
  },
);
