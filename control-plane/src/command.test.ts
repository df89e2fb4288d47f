// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createCommand } from "./command.ts";
import { type Logger, silentLogger } from "./logger.ts";
import { smallMesh } from "./testing/mesh-yaml.ts";
import { temporaryFolder } from "./testing/temporary-folder.ts";

/** Runs a command line in this process; `run` ends as soon as it listens. */
async function execute(...args: readonly string[]) {
  const printed: string[] = [];
  const logged: object[] = [];
  let exitCode = 0;
  const logger: Logger = {
    ...silentLogger,
    info: (fields, msg) => {
      logged.push({ ...fields, msg });
    },
  };
  const command = createCommand({
    print: (line) => printed.push(line),
    createLogger: () => logger,
    setExitCode: (code) => {
      exitCode = code;
    },
    stopRequested: () => Promise.resolve(),
  });
  command.exitOverride().configureOutput({ writeOut: (text) => printed.push(text), writeErr: () => {} });
  await command.parseAsync(args, { from: "user" });
  return { printed, logged, exitCode };
}

function meshFile(text: string): string {
  const file = join(temporaryFolder(onTestFinished), "mesh.yaml");
  writeFileSync(file, text);
  return file;
}

test("runs on free ports and logs one line with the addresses that it got", async () => {
  const addresses = ["--xds-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0"];
  const { logged } = await execute("--source", "file", "--config", meshFile(smallMesh), ...addresses);
  const address = expect.stringMatching(/^127\.0\.0\.1:[1-9]\d*$/);
  expect(logged).toContainEqual({ msg: "listening", xds: address, http: address });
  expect(logged.at(-1)).toEqual({ msg: "stopped" });
});

test("asks for --config where it is missing", async () => {
  await expect(execute()).rejects.toThrow("--config PATH");
});

test.each(["15010", "localhost", "a:70000", "a:b"])("refuses %j as an address", async (address) => {
  await expect(execute("--config", "x", "--xds-address", address)).rejects.toThrow("write host:port");
});

test("validate says OK in one line", async () => {
  expect(await execute("validate", meshFile(smallMesh))).toMatchObject({
    printed: ["OK: 4 resources"],
    exitCode: 0,
  });
});

test("validate prints each refusal with file, line, column, code, field and fails", async () => {
  const file = meshFile(smallMesh.replace("5004", "many").replace("127.0.0.1", "viewer"));
  const { printed, exitCode } = await execute("validate", file);
  expect(exitCode).toBe(1);
  expect(printed[0]).toBe(
    `${file}:14:7 MSM_FIELD_TYPE Gateway/default/camera spec.listeners[0].port: must be a number, not a string`,
  );
  expect(printed.map((line) => line.split(" ")[1])).toContain("MSM_BACKEND_ADDRESS");
});

test("translate prints the resources as JSON", async () => {
  const { printed } = await execute("translate", meshFile(smallMesh), "--profile", "mesh-envoy");
  const dump = JSON.parse(printed.join("\n"));
  expect(dump.configs.map((section: { "@type": string }) => section["@type"].split(".").at(-1))).toEqual([
    "ClustersConfigDump",
    "EndpointsConfigDump",
    "ListenersConfigDump",
    "RoutesConfigDump",
    "SecretsConfigDump",
    "EcdsConfigDump",
  ]);
});

test("the help teaches with examples", async () => {
  let text = "";
  const command = createCommand({
    print: () => {},
    createLogger: () => silentLogger,
    setExitCode: () => {},
    stopRequested: () => Promise.resolve(),
  });
  command.exitOverride().configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  await expect(command.parseAsync(["--help"], { from: "user" })).rejects.toThrow();
  expect(text).toContain("$ msm-control-plane --config deploy/local/mesh.yaml");
});
