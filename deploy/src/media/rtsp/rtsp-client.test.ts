// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { RtspClient } from "./rtsp-client.ts";
import { formatResponse } from "./rtsp-message.ts";

/** Asks a server that answers everything with 404 and a body. Returns what the error says. */
async function refusal(body: string): Promise<string> {
  const server = createServer((socket) => {
    socket.on("data", () =>
      socket.write(formatResponse(404, { CSeq: 1, "Content-Type": "text/plain" }, body)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `rtsp://127.0.0.1:${(server.address() as AddressInfo).port}/x`;
  const client = await RtspClient.connect(url);
  try {
    await client.request("DESCRIBE", url, {});
    return "no refusal";
  } catch (error) {
    return (error as Error).message.replace(url, "URL");
  } finally {
    client.close();
    server.close();
  }
}

test("a refusal says why, where the server does", async () => {
  expect(await refusal("no route matches /x\n")).toBe(
    "DESCRIBE URL was answered with 404 Not Found: no route matches /x",
  );
  expect(await refusal("")).toBe("DESCRIBE URL was answered with 404 Not Found");
});

test("what could write to a terminal is not shown", async () => {
  expect(await refusal("\u001b[2J")).toBe("DESCRIBE URL was answered with 404 Not Found");
});
