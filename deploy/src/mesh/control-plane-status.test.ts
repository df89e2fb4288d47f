// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { ControlPlaneStatus } from "./control-plane-status.ts";

let server: Server;
afterEach(() => {
  server.close();
});

async function serve(body: string): Promise<ControlPlaneStatus> {
  server = createServer((_request, response) => response.setHeader("connection", "close").end(body));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return new ControlPlaneStatus(`127.0.0.1:${(server.address() as AddressInfo).port}`);
}

test("tells refusals with file, line and code, and what proxies refused once each", async () => {
  const condition = { type: "Programmed", status: "False", message: "p1: MSM_LISTENER_BIND: port taken" };
  const fine = { type: "Accepted", status: "True", message: "" };
  const status = await serve(
    JSON.stringify({
      refusals: [
        { code: "MSM_FIELD_TYPE", field: "spec.port", file: "m.yaml", line: 7, message: "must be a number" },
        { code: "MSM_YAML_SYNTAX", field: "", file: "n.yaml", line: 2, message: "bad indentation" },
      ],
      resources: [{ conditions: [fine, condition] }, { conditions: [condition] }],
    }),
  );
  expect(await status.problems()).toEqual([
    "m.yaml:7 MSM_FIELD_TYPE spec.port: must be a number",
    "n.yaml:2 MSM_YAML_SYNTAX bad indentation",
    "p1: MSM_LISTENER_BIND: port taken",
  ]);
});

test("reads one series of the metrics and no other that begins alike", async () => {
  const status = await serve('refused{code="A"} 2\nrefused{code="AB"} 3\n');
  expect(await status.metric('refused{code="A"}')).toBe(2);
  expect(await status.metric("refused")).toBeUndefined();
});
