// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test, vi } from "vitest";
import { buildProgram } from "./build-program.ts";

test("finds every command by scanning, each with a description", async () => {
  const program = await buildProgram();
  const names = program.commands.map((command) => command.name());
  const known = [
    "camera",
    "clusters",
    "config",
    "filter",
    "control-plane",
    "proxy",
    "streams",
    "top",
    "viewer",
  ];
  expect(names).toEqual(expect.arrayContaining(known));
  for (const command of program.commands) expect(command.description()).not.toBe("");
});

test("names in its help only commands that there are", async () => {
  const program = await buildProgram();
  const help: string[] = [];
  program.configureOutput({ writeOut: (text) => help.push(text) });
  program.outputHelp();
  const examples = [...help.join("").matchAll(/^ {2}msm ([a-z-]+)/gm)].map((match) => match[1]);
  const names = program.commands.map((command) => command.name());
  expect(examples.length).toBeGreaterThan(3);
  for (const example of examples) expect(names).toContain(example);
});

test("prints the streams of the proxy named, and says what to do when none answers", async () => {
  const server = createServer((request, response) => response.end(`asked for ${request.url}\n`));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const admin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  try {
    await (await buildProgram()).parseAsync(["streams", "--admin", admin], { from: "user" });
    expect(write).toHaveBeenCalledWith("asked for /streams?format=text\n");
  } finally {
    write.mockRestore();
  }
  server.close();
  server.closeAllConnections();
  const asking = (await buildProgram()).parseAsync(["streams", "--admin", admin], { from: "user" });
  await expect(asking).rejects.toThrow("Name another with --admin");
});
