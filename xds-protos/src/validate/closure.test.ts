// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { registry } from "../../gen/descriptors.js";
import { fieldCheck } from "./field-check.ts";
import { messageCheck } from "./message-check.ts";

const messages = [...registry].filter((type) => type.kind === "message");
const fields = messages.flatMap((message) => message.fields);

test("the interpreter knows every rule of every field that is generated", () => {
  const unknown = fields.flatMap((field) => {
    try {
      fieldCheck(field, messageCheck);
      return [];
    } catch (error) {
      return [`${field}: ${error}`];
    }
  });
  expect(unknown).toEqual([]);
  // The walk really saw Envoy's API.
  expect(fields.length).toBeGreaterThan(2000);
});
