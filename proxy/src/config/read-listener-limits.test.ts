// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { JsonObject, JsonValue } from "@msm/xds-protos";
import { expect, test } from "vitest";
import { read, refusal } from "./testdata/read.ts";
import { listenerJson } from "./testdata/resources.ts";

const PATH = 'metadata.filter_metadata["io.mediastreamingmesh.limits"]';

function limited(limits: JsonValue): JsonObject {
  const metadata = { filter_metadata: { "io.mediastreamingmesh.limits": limits } };
  return listenerJson("a", 5004, { metadata });
}

test("a listener's limits are read from its metadata", async () => {
  const json = limited({
    max_sessions: 1000,
    max_sessions_per_source: 10,
    datagrams_per_second: 50_000,
    datagrams_per_second_per_source: 500,
    drain: true,
  });
  expect((await read("listener", "a", json)).config).toMatchObject({
    limits: {
      maxSessions: 1000,
      maxSessionsPerSource: 10,
      datagramsPerSecond: 50_000,
      datagramsPerSecondPerSource: 500,
      isDraining: true,
    },
  });
});

test.each<[JsonObject, string]>([
  [{ max_session: 1 }, ".max_session"],
  [{ max_sessions: 0 }, ".max_sessions"],
  [{ max_sessions: "10" }, ".max_sessions"],
  [{ max_sessions_per_source: 1.5 }, ".max_sessions_per_source"],
  [{ datagrams_per_second: -1 }, ".datagrams_per_second"],
  [{ datagrams_per_second_per_source: 1e10 }, ".datagrams_per_second_per_source"],
  [{ drain: "yes" }, ".drain"],
])("limits %j are refused", async (limits, field) => {
  expect(await refusal("listener", "a", limited(limits))).toBe(`MSM_LISTENER_LIMITS ${PATH}${field}`);
});

test("limits are refused at a TCP listener, where they would limit nothing", async () => {
  const json = {
    "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
    name: "a",
    address: { socket_address: { address: "127.0.0.1", port_value: 554 } },
    filter_chains: [{}],
    metadata: { filter_metadata: { "io.mediastreamingmesh.limits": { max_sessions: 1 } } },
  };
  expect(await refusal("listener", "a", json)).toBe(`MSM_LISTENER_LIMITS ${PATH}`);
});
