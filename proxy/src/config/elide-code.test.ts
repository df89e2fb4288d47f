// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { AnySchema, create, registry, toJsonString } from "@msm/xds-protos";
import { expect, test } from "vitest";
import { elideCode } from "./elide-code.ts";
import { anyOf, ecdsJson, listenerJson, pluginJson, staticClusterJson } from "./testdata/resources.ts";

const module = Buffer.alloc(1000, 7).toString("base64");
const plugin = pluginJson({ vm_config: { code: { local: { inline_bytes: module } } } });
const textOf = (any: Parameters<typeof elideCode>[0]) =>
  toJsonString(AnySchema, elideCode(any), { registry });

test("the bytes of a module give way to their size and digest, however deep they are", () => {
  const inListener = listenerJson("a", 1, {
    udpProxy: { session_filters: [{ name: "f", typed_config: plugin }] },
  });
  for (const json of [ecdsJson("f", plugin), inListener]) {
    const text = textOf(anyOf(json));
    expect(text).not.toContain(module.slice(0, 100));
    expect(text).toMatch(/"inlineString":"\[1000 bytes, sha256 [0-9a-f]{64}\]"/);
  }
});

test("what holds no module is the same object still", () => {
  const metadata = { metadata: { filter_metadata: { a: { b: [1, { c: null }] } } } };
  const any = anyOf(staticClusterJson("a", 1, metadata));
  expect(elideCode(any)).toBe(any);
});

test("what cannot be read is left as it is", () => {
  const garbage = create(AnySchema, {
    typeUrl: anyOf(ecdsJson("f")).typeUrl,
    value: new Uint8Array([255, 255]),
  });
  expect(elideCode(garbage)).toBe(garbage);
});
