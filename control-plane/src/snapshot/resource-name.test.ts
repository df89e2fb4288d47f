// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalName, globOf, isGlob } from "./resource-name.ts";

test("old names are left alone, whatever they look like", () => {
  for (const name of ["a%20b?z=1&a=2#x", "grpc/server?xds.resource.listening_address=[::1]:50051"]) {
    expect(canonicalName(name)).toBe(name);
  }
});

test("sorts and recodes the parts of a global name and drops its directives", () => {
  const name = "xdstp://auth/envoy.config.listener.v3.Listener/a%3ab/%63?y=2%26&x=%31#alt=xdstp://other";
  expect(canonicalName(name)).toBe("xdstp://auth/envoy.config.listener.v3.Listener/a%3Ab/c?x=1&y=2%26");
});

test("a name is in the glob of its own folder and parameters", () => {
  expect(globOf("xdstp://a/t/foo/bar?x=1")).toBe("xdstp://a/t/foo/*?x=1");
  expect(isGlob("xdstp://a/t/foo/*?x=1")).toBe(true);
  expect([isGlob("xdstp://a/t/foo"), isGlob("foo/*")]).toEqual([false, false]);
});

test("the canonical form of any text is its own canonical form", () => {
  const text = fc.oneof(
    fc.string(),
    fc.string().map((rest) => `xdstp://${rest}`),
  );
  fc.assert(fc.property(text, (name) => canonicalName(canonicalName(name)) === canonicalName(name)));
});
