// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { create, type DescMessage, type Registry, toJson } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "vitest";
import { generate } from "./generate.mjs";

const packageDir = fileURLToPath(new URL("..", import.meta.url));
// Inside the package, so that what is generated finds @bufbuild/protobuf.
const dir = join(packageDir, "build", `test-${process.pid}`);
const options = {
  packageDir,
  protoDir: join(dir, "proto"),
  buildDir: join(dir, "build"),
  genDir: join(dir, "gen"),
};
const protoFile = join(dir, "proto/msm/sample/v1/sample.proto");
const PROTO = `syntax = "proto3";
package msm.sample.v1;
import "envoy/config/core/v3/address.proto";
message Sample {
  envoy.config.core.v3.Address address = 1;
}
`;

beforeAll(() => {
  mkdirSync(join(dir, "proto/msm/sample/v1"), { recursive: true });
  writeFileSync(protoFile, PROTO);
  generate(options);
}, 60_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("generates our own protos beside Envoy's, and they may import each other", async () => {
  const url = pathToFileURL(join(options.genDir, "msm/sample/v1/sample_pb.js")).href;
  const { SampleSchema } = (await import(/* @vite-ignore */ url)) as { readonly SampleSchema: DescMessage };
  const init: Record<string, unknown> = {
    address: { address: { case: "socketAddress", value: { address: "192.0.2.1" } } },
  };
  const sample = create(SampleSchema, init);
  expect(toJson(SampleSchema, sample)).toEqual({ address: { socketAddress: { address: "192.0.2.1" } } });

  const registryUrl = pathToFileURL(join(options.genDir, "descriptors.js")).href;
  const { registry } = (await import(/* @vite-ignore */ registryUrl)) as { readonly registry: Registry };
  expect(registry.getMessage("msm.sample.v1.Sample")).toBe(SampleSchema);
});

test("does nothing while the inputs are the same, unless forced", () => {
  expect(generate(options).isFresh).toBe(true);
  expect(generate({ ...options, force: true }).isFresh).toBe(false);
}, 60_000);

test("reports a proto that does not compile and keeps the old output", () => {
  const before = readFileSync(join(options.genDir, "msm/sample/v1/sample_pb.js"), "utf8");
  writeFileSync(protoFile, PROTO.replace("Address address", "Adress address"));
  expect(() => generate(options)).toThrow(/^MSM_PROTOS_GENERATE: buf generate failed.*sample\.proto:5/s);
  expect(readFileSync(join(options.genDir, "msm/sample/v1/sample_pb.js"), "utf8")).toBe(before);
  writeFileSync(protoFile, PROTO);
}, 60_000);

test("reports an overlay whose anchor has gone", () => {
  const overlay = [{ file: "envoy/config/core/v3/base.proto", anchor: "message Gone {", insert: "" }];
  expect(() => generate({ ...options, overlay })).toThrow(
    /^MSM_PROTOS_OVERLAY_ANCHOR: envoy\/config\/core\/v3\/base/,
  );
});
