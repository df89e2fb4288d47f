// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { JsonObject, JsonValue } from "@msm/xds-protos";
import { expect, test } from "vitest";
import { read, refusal } from "./testdata/read.ts";
import { listenerJson } from "./testdata/resources.ts";

const NAMESPACE = "io.mediastreamingmesh.hash";
const withHash = (ours: JsonValue, proxy: JsonObject = {}) => ({
  ...listenerJson("a", 5004, { udpProxy: proxy }),
  metadata: { filter_metadata: { [NAMESPACE]: ours } },
});

test.each<[JsonValue, object]>([
  [{ first_datagram: { length: 4 } }, { kind: "FIRST_DATAGRAM", offset: 0, length: 4 }],
  [{ first_datagram: { offset: 8, length: 4 } }, { kind: "FIRST_DATAGRAM", offset: 8, length: 4 }],
  [{ session_key: true }, { kind: "SESSION_KEY" }],
])("sessions are told apart by %j", async (ours, expected) => {
  expect(await read("listener", "a", withHash(ours))).toMatchObject({ config: { hashPolicy: expected } });
});

test.each<[JsonValue, string]>([
  [{}, ""],
  [{ first_datagram: { length: 4 }, session_key: true }, ""],
  [{ last_datagram: { length: 4 } }, ""],
  [{ session_key: false }, ".session_key"],
  [{ first_datagram: { length: 0 } }, ".first_datagram"],
  [{ first_datagram: { offset: -1, length: 4 } }, ".first_datagram"],
  [{ first_datagram: { length: 4, mask: 1 } }, ".first_datagram"],
  [{ first_datagram: 4 }, ".first_datagram"],
])("%j is refused", async (ours, field) => {
  const expected = `MSM_LISTENER_HASH metadata.filter_metadata["${NAMESPACE}"]${field}`;
  expect(await refusal("listener", "a", withHash(ours))).toBe(expected);
});

test("it is refused beside hash_policies", async () => {
  const json = withHash({ session_key: true }, { hash_policies: [{ source_ip: true }] });
  expect(await refusal("listener", "a", json)).toBe(
    `MSM_LISTENER_HASH metadata.filter_metadata["${NAMESPACE}"]`,
  );
});
