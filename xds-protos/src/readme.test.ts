// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { create } from "@bufbuild/protobuf";
import { credentials, type Server } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { AggregatedDiscoveryService } from "../gen/envoy/service/discovery/v3/ads_pb.js";
import {
  DiscoveryRequestSchema,
  type DiscoveryResponse,
} from "../gen/envoy/service/discovery/v3/discovery_pb.js";
import { unpackAny } from "./any.ts";
import { createClient } from "./create-client.ts";
import { typeUrls } from "./type-urls.ts";

const packageDir = fileURLToPath(new URL("..", import.meta.url));
const dir = join(packageDir, "build", `readme-${process.pid}`);
const example = join(dir, "example.ts");

beforeAll(() => {
  const readme = readFileSync(join(packageDir, "README.md"), "utf8");
  const code = /```ts\n(.*?)```/s.exec(readme)?.[1];
  if (code === undefined) throw new Error("README.md has no ts block");
  mkdirSync(dir, { recursive: true });
  // Only the port is ours: the documented one may be taken.
  writeFileSync(example, code.replace("127.0.0.1:15010", "127.0.0.1:0"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("the README's example serves its listener", async () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  const { server } = (await import(/* @vite-ignore */ pathToFileURL(example).href)) as {
    readonly server: Server;
  };
  await vi.waitFor(() => expect(log).toHaveBeenCalled());
  const port = log.mock.calls[0]?.[0] as number;
  log.mockRestore();
  const client = createClient(AggregatedDiscoveryService, `127.0.0.1:${port}`, credentials.createInsecure());
  try {
    const stream = client.streamAggregatedResources();
    stream.end(create(DiscoveryRequestSchema, { typeUrl: typeUrls.listener }));
    const responses: DiscoveryResponse[] = [];
    for await (const response of stream) responses.push(response as DiscoveryResponse);
    expect(responses.map((response) => response.resources.map(unpackAny))).toMatchObject([[{ name: "rtp" }]]);
  } finally {
    client.close();
    server.forceShutdown();
  }
});

test("the README's example passes the type checker", async () => {
  const tsconfig = join(dir, "tsconfig.json");
  const compilerOptions = { noEmit: true, composite: false, rootDir: packageDir };
  const extended = join(packageDir, "..", "tsconfig.base.json");
  writeFileSync(tsconfig, JSON.stringify({ extends: extended, compilerOptions, files: [example] }));
  const tsc = join(packageDir, "..", "node_modules", "typescript", "bin", "tsc");
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, "-p", tsconfig]);
  expect(stdout).toBe("");
}, 60_000);
