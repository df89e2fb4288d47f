// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import { hasName } from "./check-peer.ts";
import { uri } from "./testdata/certificates.ts";
import type { NameTest } from "./tls-plan.ts";

const dns = (value: string, kind: "exact" | "suffix" = "exact"): NameTest => ({
  kind: "DNS",
  test: { kind, value, isCaseSensitive: true },
});

test.each<[string, NameTest, boolean]>([
  ["URI:spiffe://mesh/a", uri("spiffe://mesh/a"), true],
  ["DNS:x, URI:spiffe://mesh/a", uri("spiffe://mesh/", "prefix"), true],
  ["URI:spiffe://mesh/a", uri("spiffe://mesh/ab"), false],
  ["URI:spiffe://mesh.evil/a", uri("spiffe://mesh/", "prefix"), false],
  ["DNS:spiffe://mesh/a", uri("spiffe://mesh/a"), false],
  ['DNS:"x, URI:spiffe://mesh/a"', uri("spiffe://mesh/a"), false],
  ["DNS:Cams.example.com", dns("cams.example.com"), true],
  ["DNS:*.example.com", dns("cams.example.com"), true],
  ["DNS:*.example.com", dns("a.cams.example.com"), false],
  ["DNS:*.example.com", dns("example.com"), false],
  ["DNS:cams.example.com", dns(".example.com", "suffix"), true],
  ["IP Address:127.0.0.1", dns("127.0.0.1"), false],
  ["", dns("cams.example.com"), false],
])("a certificate for %s has the name of %o: %s", (names, wanted, expected) => {
  expect(hasName(names, [dns("never"), wanted])).toBe(expected);
});

test("without a name to look for any certificate will do, and with one no nonsense does", () => {
  expect(hasName("DNS:x", [])).toBe(true);
  fc.assert(fc.property(fc.string(), (text) => !hasName(text, [uri("spiffe://mesh/a")])));
});
