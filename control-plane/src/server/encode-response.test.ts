// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { equals, fromBinary, toBinary } from "@msm/xds-protos";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
} from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { expect, test } from "vitest";
import { resourcesOf } from "../snapshot/snapshot.ts";
import { snapshotOf, types } from "../testing/test-snapshot.ts";
import { encodeDeltaResponse, encodeSotwResponse } from "./encode-response.ts";

// Lengths around the borders of a varint's bytes, and one that needs four.
const sizes = [1, 90, 127, 128, 16_300, 16_384, 3_000_000];
const names = sizes.map((size, index) => `filter-${index}=${size}`);
const entries = [...resourcesOf(snapshotOf({ ecds: names }), types.ecds).values()];
const encoding = { identifier: "plane-1", usesTtl: false };
const response = { typeUrl: types.ecds, nonce: "7", version: "v", entries, removed: ["gone"] };

test("a delta response put together from encoded entries says what a message would", () => {
  const message = fromBinary(DeltaDiscoveryResponseSchema, encodeDeltaResponse(response, encoding));
  expect(message).toMatchObject({ typeUrl: types.ecds, nonce: "7", removedResources: ["gone"] });
  expect(message.controlPlane?.identifier).toBe("plane-1");
  expect(message.resources.map(({ name, version }) => [name, version])).toEqual(
    entries.map(({ name, version }) => [name, version]),
  );
  const again = fromBinary(DeltaDiscoveryResponseSchema, toBinary(DeltaDiscoveryResponseSchema, message));
  expect(equals(DeltaDiscoveryResponseSchema, again, message)).toBe(true);
});

test("a state-of-the-world response put together from encoded entries says what a message would", () => {
  const message = fromBinary(DiscoveryResponseSchema, encodeSotwResponse(response, encoding));
  expect(message).toMatchObject({ typeUrl: types.ecds, nonce: "7", versionInfo: "v" });
  expect(message.resources.map(({ value }) => value.length > 0)).toEqual(entries.map(() => true));
  expect(message.resources.every(({ typeUrl }) => typeUrl === types.ecds)).toBe(true);
});

test("streams with the same past share the bytes of a response, and others get their own", () => {
  const plain = { ...response, removed: [] };
  expect(encodeDeltaResponse({ ...plain }, encoding)).toBe(encodeDeltaResponse(plain, encoding));
  const other = fromBinary(
    DeltaDiscoveryResponseSchema,
    encodeDeltaResponse({ ...response, nonce: "100", removed: [] }, encoding),
  );
  expect(other).toMatchObject({ nonce: "100", removedResources: [] });
  expect(other.resources.map(({ name }) => name)).toEqual(names.map((name) => name.split("=")[0]));
});
