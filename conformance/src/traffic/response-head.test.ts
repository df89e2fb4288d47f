// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { create, toBinary } from "@msm/xds-protos";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
} from "@msm/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readResponseHead } from "./response-head.ts";

test("type, nonce and version are found in responses of both variants, whatever else they hold", () => {
  const text = fc.string({ maxLength: 300 });
  fc.assert(
    fc.property(text, text, text, fc.uint8Array({ maxLength: 40_000 }), (typeUrl, nonce, version, value) => {
      const resource = { typeUrl: "x", value };
      const sotw = create(DiscoveryResponseSchema, {
        ...{ typeUrl, nonce, versionInfo: version, canary: true, resources: [resource, resource] },
      });
      const delta = create(DeltaDiscoveryResponseSchema, {
        ...{ typeUrl, nonce, systemVersionInfo: version, removedResources: [nonce] },
        resources: [{ name: version, resource }],
      });
      const expected = { typeUrl, nonce, version };
      expect(readResponseHead(Buffer.from(toBinary(DiscoveryResponseSchema, sotw)))).toEqual(expected);
      expect(readResponseHead(Buffer.from(toBinary(DeltaDiscoveryResponseSchema, delta)))).toEqual(expected);
    }),
  );
});

test("bytes that are no response are refused or read, and never more than that", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      try {
        readResponseHead(Buffer.from(bytes));
      } catch (error) {
        expect((error as Error).message).toMatch(/^not a discovery response/);
      }
    }),
  );
});
