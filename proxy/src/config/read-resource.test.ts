// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { AnySchema, create, typeUrls } from "@msm/xds-protos";
import fc from "fast-check";
import { describe, test } from "vitest";
import { ConfigError } from "../config-error.ts";
import { readResource } from "./read-resource.ts";
import { type ResourceType, resourceTypes } from "./resource.ts";
import { testLoader } from "./testdata/read.ts";
import {
  anyOf,
  assignmentJson,
  ecdsJson,
  edsClusterJson,
  listenerJson,
  pluginJson,
  routesJson,
} from "./testdata/resources.ts";
import { secretJson, tlsCertificateJson } from "./tls/testdata/tls-json.ts";

describe("whatever the bytes are", () => {
  const valid: Readonly<Record<ResourceType, Uint8Array>> = {
    cluster: anyOf(edsClusterJson("a")).value,
    clusterLoadAssignment: anyOf(assignmentJson("a", [1, 2])).value,
    listener: anyOf(
      listenerJson("a", 1, { udpProxy: { session_filters: [{ name: "x", typed_config: pluginJson() }] } }),
    ).value,
    routeConfiguration: anyOf(routesJson("a")).value,
    secret: anyOf(secretJson("a", { tls_certificate: tlsCertificateJson("server") })).value,
    typedExtensionConfig: anyOf(ecdsJson("a")).value,
  };

  async function readBytes(type: ResourceType, value: Uint8Array): Promise<void> {
    const body = create(AnySchema, { typeUrl: typeUrls[type], value });
    try {
      await readResource(type, { name: "a", version: "", body, path: "", isStatic: false }, testLoader);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
    }
  }

  test.each(resourceTypes)("a %s of random bytes is accepted or refused, and nothing else", async (type) => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), (value) => readBytes(type, value)),
      { numRuns: 300 },
    );
  });

  test.each(resourceTypes)("a damaged %s is accepted or refused, and nothing else", async (type) => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(damage, fc.nat(), async (changes, cut) => {
        const bytes = Uint8Array.from(valid[type]);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        await readBytes(type, bytes);
        await readBytes(type, bytes.subarray(0, cut % bytes.length));
      }),
      { numRuns: 300 },
    );
  });

  test("messages nested beyond all reason are refused", async () => {
    // Matcher.on_no_match.matcher, a thousand times: each level wraps the one before in fields 3 and 1.
    let matcher: number[] = [];
    for (let depth = 0; depth < 1000; depth++) {
      matcher = wrap(3, wrap(1, matcher));
    }
    const udpProxy = [...wrap(1, [0x78]), ...wrap(9, matcher)];
    const typeUrl = "type.googleapis.com/envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig";
    const any = [...wrap(1, [...new TextEncoder().encode(typeUrl)]), ...wrap(2, udpProxy)];
    const filter = [...wrap(1, [0x78]), ...wrap(3, any)];
    const listener = Uint8Array.from([...wrap(1, [0x61]), ...wrap(9, filter)]);
    await readBytes("listener", listener);
  });
});

/** A length-delimited field. */
function wrap(field: number, content: readonly number[]): number[] {
  return [...varint((field << 3) | 2), ...varint(content.length), ...content];
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}
