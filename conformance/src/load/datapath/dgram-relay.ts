// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// A relay from 127.0.0.1:7001 to 127.0.0.1:7002 as Node programs commonly write it, a socket for each client: what
// the datapath is compared with, beside C. Ends by itself after a minute.
import { createSocket, type Socket } from "node:dgram";

const upstreams = new Map<number, Socket>();
const downstream = createSocket({ type: "udp4", recvBufferSize: 32 << 20 });

downstream.on("message", (data, from) => {
  let upstream = upstreams.get(from.port);
  if (upstream === undefined) {
    upstream = createSocket("udp4");
    upstreams.set(from.port, upstream);
  }
  upstream.send(data, 7002, "127.0.0.1");
});
downstream.bind(7001, "127.0.0.1");
setTimeout(() => process.exit(0), 60_000);
