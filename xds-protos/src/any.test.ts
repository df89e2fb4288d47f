// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { create, fromBinary } from "@bufbuild/protobuf";
import { AnySchema, anyIs, StringValueSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { expect, test } from "vitest";
import { registry } from "../gen/descriptors.js";
import { ListenerSchema } from "../gen/envoy/config/listener/v3/listener_pb.js";
import { packAny, unpackAny } from "./any.ts";
import { typeUrls } from "./type-urls.ts";
import { validate } from "./validate/validate.ts";

const listener = create(ListenerSchema, { name: "rtp", statPrefix: "rtp_5004" });

test("what is packed comes out again, under Envoy's type URL", () => {
  const any = packAny(ListenerSchema, listener);
  expect(any.typeUrl).toBe(typeUrls.listener);
  expect(unpackAny(any)).toEqual(listener);
});

test("well-known types are in the registry, too", () => {
  const any = packAny(StringValueSchema, create(StringValueSchema, { value: "x" }));
  expect(anyIs(any, StringValueSchema)).toBe(true);
  expect(unpackAny(any)).toMatchObject({ value: "x" });
});

test("an unknown or missing type gives undefined", () => {
  const value = Uint8Array.of(1, 2, 3);
  expect(
    unpackAny(create(AnySchema, { typeUrl: "type.googleapis.com/example.Unknown", value })),
  ).toBeUndefined();
  expect(unpackAny(create(AnySchema))).toBeUndefined();
});

test("bytes that are not a message of their type throw", () => {
  const any = create(AnySchema, { typeUrl: typeUrls.listener, value: Uint8Array.of(0x0a, 0x7f) });
  expect(() => unpackAny(any)).toThrow(Error);
});

test("whatever decodes can be validated", () => {
  const anyName = fc.constantFrom(...[...registry].filter((type) => type.kind === "message"));
  fc.assert(
    fc.property(anyName, fc.uint8Array({ maxLength: 64 }), (schema, bytes) => {
      let message: ReturnType<typeof fromBinary>;
      try {
        message = fromBinary(schema, bytes);
      } catch {
        return;
      }
      for (const violation of validate(schema, message)) expect(violation.path).not.toMatch(/^\./);
    }),
    { numRuns: 2000 },
  );
});
