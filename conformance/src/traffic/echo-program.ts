// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { EchoEndpoint } from "./echo-endpoint.ts";

// An echo endpoint as a process of its own, so that it can be killed or stopped: `echo-program.js NUMBER`. It logs its
// port, and closes it at SIGUSR2.
const endpoint = await EchoEndpoint.start("127.0.0.1", Number(process.argv[2]));
process.once("SIGUSR2", () => {
  endpoint.close();
  // Without its socket nothing would keep it: the host is there, and the port is closed.
  setInterval(() => undefined, 60_000);
});
process.stdout.write(`${JSON.stringify({ port: endpoint.port })}\n`);
