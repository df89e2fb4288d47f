// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { connect } from "node:net";

/** Describes a stream at a port of loopback, on a connection of its own. Returns the reason phrase of the answer. */
export function askRtsp(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let text = "";
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no answer to ${path}`)));
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`${path} was not answered but closed`)));
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
      const reason = /^RTSP\/1\.0 \d{3} ([^\r]*)\r\n/.exec(text)?.[1];
      if (reason === undefined) return;
      socket.destroy();
      resolve(reason);
    });
    const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`DESCRIBE rtsp://127.0.0.1:${port}${path} RTSP/1.0\r\nCSeq: 1\r\n${more.join("")}\r\n`);
  });
}
