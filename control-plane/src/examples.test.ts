// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { StringValueSchema, typeUrlOf, typeUrls, unpackAny } from "@msm/xds-protos";
import type { ClusterLoadAssignment } from "@msm/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import { expect, onTestFinished, test, vi } from "vitest";
import { DeltaClient } from "./testing/delta-client.ts";
import { SotwClient } from "./testing/sotw-client.ts";
import { waitUntil } from "./testing/wait-until.ts";
import type { XdsServer } from "./xds.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

async function start<Example extends { readonly server: XdsServer }>(name: string): Promise<Example> {
  // Only the port is ours: the documented one may be taken.
  vi.stubEnv("XDS_ADDRESS", "127.0.0.1:0");
  const example = (await import(/* @vite-ignore */ `../examples/${name}.ts`)) as Example;
  onTestFinished(() => example.server.close());
  return example;
}

test("the snapshot server serves its group, and a change of endpoint", async () => {
  const { server, moveTo } = await start<{ server: XdsServer; moveTo(port: number): void }>(
    "snapshot-server",
  );
  const client = new SotwClient(server.addresses[0]!);
  onTestFinished(() => client.close());
  const typeUrl = typeUrls.clusterLoadAssignment;
  client.send({ typeUrl, resourceNames: ["web"], node: { id: "e1", cluster: "edge" } });
  const port = (): unknown => {
    const [any] = client.newest?.resources ?? [];
    const assignment = any === undefined ? undefined : (unpackAny(any) as ClusterLoadAssignment);
    const host = assignment?.endpoints[0]?.lbEndpoints[0]?.hostIdentifier.value;
    return typeof host === "object" && host.address?.address.case === "socketAddress"
      ? host.address.address.value.portSpecifier.value
      : undefined;
  };
  await waitUntil(() => port() === 9001);
  client.ack({ resourceNames: ["web"] });
  moveTo(9002);
  await waitUntil(() => port() === 9002);
});

test("the custom type is served whole or by name, made on demand, and taken away", async () => {
  type Example = { server: XdsServer; setText(name: string, value: string | undefined): void };
  const { server, setText } = await start<Example>("custom-resource-type");
  const typeUrl = typeUrlOf(StringValueSchema);
  const all = new DeltaClient(server.addresses[0]!);
  const guest = new DeltaClient(server.addresses[0]!, "guest");
  for (const client of [all, guest]) onTestFinished(() => client.close());
  all.send({ typeUrl });
  await waitUntil(() => all.names(typeUrl).join() === "world");
  guest.send({ typeUrl, resourceNamesSubscribe: ["guest-7"] });
  await waitUntil(() => guest.names(typeUrl).join() === "guest-7");
  expect(guest.responses[0]!.removedResources).toEqual([]);
  setText("world", undefined);
  await waitUntil(() => all.names(typeUrl).join() === "guest-7");
});

test("the examples pass the type checker and are about 30 lines long", async () => {
  const folder = join(root, "examples");
  const names = readdirSync(folder).filter((name) => name.endsWith(".ts"));
  for (const name of names) {
    const code = readFileSync(join(folder, name), "utf8").split("\n");
    const lines = code.filter((line) => line.trim() !== "" && !/^\s*(\/\/|\/\*\*)/.test(line));
    expect(lines.length, name).toBeLessThan(36);
  }
  const build = join(root, "build", `examples-${process.pid}`);
  mkdirSync(build, { recursive: true });
  onTestFinished(() => rmSync(build, { recursive: true, force: true }));
  const extended = join(root, "..", "tsconfig.base.json");
  const compilerOptions = { noEmit: true, composite: false, rootDir: join(root, "..") };
  const files = names.map((name) => join(folder, name));
  writeFileSync(join(build, "tsconfig.json"), JSON.stringify({ extends: extended, compilerOptions, files }));
  const tsc = join(root, "..", "node_modules", "typescript", "bin", "tsc");
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, "-p", join(build, "tsconfig.json")]);
  expect(stdout).toBe("");
}, 60_000);

test("the library pulls in neither the mesh's model nor anything that it needs", () => {
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const [, path] of readFileSync(file, "utf8").matchAll(/ from "(\.[^"]+)"/g))
      visit(join(dirname(file), path!));
  };
  visit(join(root, "src/xds.ts"));
  const outside = [...seen].filter((file) => /\/src\/(model|mesh|translate|sources|http)\//.test(file));
  expect(outside).toEqual([]);
  const packages = [...seen].flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/ from "([^.][^"]*)"/g)].map(([, name]) => name!),
  );
  const allowed = /^(node:|@grpc\/grpc-js$|@bufbuild\/protobuf|@msm\/xds-protos)/;
  expect(packages.filter((name) => !allowed.test(name))).toEqual([]);
});
