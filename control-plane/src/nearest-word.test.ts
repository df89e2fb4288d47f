// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { didYouMean, nearestWord } from "./nearest-word.ts";

const fields = ["address", "port", "protocol", "name"];

test("finds a word with a letter missing, added, changed or swapped", () => {
  expect(nearestWord("adress", fields)).toBe("address");
  expect(nearestWord("prot", fields)).toBe("port");
  expect(nearestWord("Name", fields)).toBe("name");
  expect(nearestWord("protokol", fields)).toBe("protocol");
});

test("finds nothing for a word that is like none", () => {
  expect(nearestWord("hostname", fields)).toBeUndefined();
  expect(didYouMean("hostname", fields)).toBe("");
});

test("stays quick on absurdly long words", () => {
  expect(nearestWord("x".repeat(1_000_000), ["y".repeat(1_000_000)])).toBeUndefined();
});
