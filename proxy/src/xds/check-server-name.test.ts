// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import { checkServerName } from "./check-server-name.ts";

const good = "URI:spiffe://mesh/ns/msm/sa/control-plane";

test("a certificate with one of the expected names is good, among others and alone", () => {
  for (const names of [good, `DNS:control-plane, ${good}`, `${good}, IP Address:10.0.0.1`]) {
    expect(checkServerName(["DNS:other", good], names)).toBeUndefined();
  }
});

test("a certificate with other names, longer ones, the same of another kind or none is refused by its names", () => {
  const others = ["", "DNS:control-plane", `${good}2`, good.replace("URI", "DNS"), "nonsense"];
  for (const names of others) expect(checkServerName([good], names)?.message).toContain(`is for "${names}"`);
});

test("a name that holds what looks like another name is one name", () => {
  for (const names of [`DNS:"x, ${good}"`, `DNS:"x, ${good}, DNS:y"`, `DNS:"x\\", ${good}, DNS:y"`]) {
    expect(checkServerName([good], names)).toBeInstanceOf(Error);
  }
});

test("whatever a certificate says, it is either one of the names or refused", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const isGood = checkServerName([good], text) === undefined;
      expect(isGood).toBe(false);
    }),
  );
});
