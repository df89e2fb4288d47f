// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { fromJson, type JsonObject } from "@msm/xds-protos";
import { FlowSchema } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { describe, expect, test } from "vitest";
import { readFlow } from "./read-flow.ts";

const REMOTE = { ip: "192.0.2.1", port: 5004 };

function read(flow: object) {
  return readFlow(fromJson(FlowSchema, { id: "f", ...flow } as JsonObject));
}

function receiver(udp: object, leg: object = {}) {
  return { receivers: [{ id: "r", enabled: true, udp: { remote: REMOTE, ...udp }, ...leg }] };
}

function group(udp: object) {
  const local = { ip: "232.1.1.1", port: 5004 };
  return { id: "s", enabled: true, udp: { local, latch: "LATCH_ONCE", ...udp } };
}

test("what is left out gets its meaning", () => {
  const { legs, idleMs, activeSource } = read({
    sources: [{ id: "s", enabled: true, udp: { latch: "LATCH_ONCE", remote: { ip: "2001:db8::1" } } }],
    ...receiver({}),
  });
  expect({ idleMs, activeSource }).toEqual({ idleMs: 0, activeSource: "s" });
  expect(legs.map(({ transport }) => transport)).toMatchObject([
    { local: { address: "::", port: 0 }, remote: undefined, latchFrom: "2001:db8::1", rtcp: "PAIR" },
    {
      local: { address: "0.0.0.0", port: 0 },
      remote: { address: "192.0.2.1", port: 5004 },
      remoteRtcp: { port: 5005 },
      latch: "NONE",
    },
  ]);
});

test("a leg that is not enabled may have no far end yet", () => {
  expect(read({ sources: [{ id: "s", udp: {} }] }).legs[0]).toMatchObject({ isEnabled: false });
});

describe("refuses, with the field,", () => {
  test.each([
    ["a flow without a name", { id: "" }, "MSM_FLOW_INVALID: id:"],
    [
      "two legs of one name",
      { sources: [{ id: "r", udp: {} }], ...receiver({}) },
      "MSM_FLOW_INVALID: receivers:",
    ],
    [
      "an active source that is none",
      { activeSource: "r", ...receiver({}) },
      "MSM_FLOW_INVALID: active_source:",
    ],
    ["a leg without transport", { receivers: [{ id: "r" }] }, "MSM_FLOW_INVALID: receivers[0]:"],
    ["a hop", { receivers: [{ id: "r", hop: {} }] }, "MSM_CONFIG_UNSUPPORTED_FIELD: receivers[0].hop:"],
    [
      "an interface where nothing is multicast",
      receiver({ interface: "eth0" }),
      "MSM_FLOW_INVALID: receivers[0].udp.interface:",
    ],
    [
      "a source filter without a group",
      { sources: [{ id: "s", udp: { latch: "LATCH_ONCE", sourceFilter: ["192.0.2.1"] } }] },
      "MSM_FLOW_INVALID: sources[0].udp.source_filter:",
    ],
    [
      "a group in a source filter",
      { sources: [group({ sourceFilter: ["232.1.1.2"] })] },
      "MSM_FLOW_INVALID: sources[0].udp.source_filter[0]:",
    ],
    [
      "more senders of a group than the system takes",
      { sources: [group({ sourceFilter: Array.from({ length: 11 }, (_, i) => `192.0.2.${i}`) })] },
      "MSM_FLOW_LIMIT: sources[0].udp.source_filter:",
    ],
    [
      "a group without a port",
      { sources: [group({ local: { ip: "232.1.1.1" } })] },
      "MSM_FLOW_INVALID: sources[0].udp.local.port:",
    ],
    [
      "a receiver at a group",
      receiver({ local: { ip: "232.1.1.1", port: 5004 } }),
      "MSM_FLOW_INVALID: receivers[0].udp.local.ip:",
    ],
    [
      "a source that is a group",
      { sources: [{ id: "s", enabled: true, udp: { remote: { ip: "ff3e::1", port: 5004 } } }] },
      "MSM_FLOW_INVALID: sources[0].udp.remote.ip:",
    ],
    [
      "a receiver that is a group and has to be learnt",
      receiver({ remote: { ip: "232.1.1.1", port: 5004 }, latch: "LATCH_ONCE" }),
      "MSM_FLOW_INVALID: receivers[0].udp.latch:",
    ],
    ["an enabled leg to nowhere", receiver({ remote: {} }), "MSM_FLOW_INVALID: receivers[0].udp.remote:"],
    [
      "a host name",
      receiver({ remote: { ip: "camera", port: 1 } }),
      "MSM_FLOW_INVALID: receivers[0].udp.remote.ip:",
    ],
    [
      "a port that is none",
      receiver({ remote: { ip: "::1", port: 65_536 } }),
      "MSM_FLOW_INVALID: receivers[0].udp.remote.port:",
    ],
    [
      "an odd port for a pair",
      receiver({ local: { port: 5003 } }),
      "MSM_FLOW_INVALID: receivers[0].udp.local.port:",
    ],
    [
      "mixed address families",
      receiver({ local: { ip: "::1" } }),
      "MSM_FLOW_INVALID: receivers[0].udp.remote:",
    ],
    [
      "latch_from without a latch",
      receiver({ latchFrom: "192.0.2.1" }),
      "MSM_FLOW_INVALID: receivers[0].udp.latch_from:",
    ],
    [
      "a second RTCP address with MUX",
      receiver({ rtcp: "MUX", remoteRtcp: REMOTE }),
      "MSM_FLOW_INVALID: receivers[0].udp.remote_rtcp:",
    ],
    ["a DSCP of 64", receiver({ dscp: 64 }), "MSM_FLOW_INVALID: receivers[0].udp.dscp:"],
    ["a TTL of 0", receiver({ ttl: 0 }), "MSM_FLOW_INVALID: receivers[0].udp.ttl:"],
    [
      "a payload type of 128",
      receiver({}, { rewrite: { payloadTypes: { 96: 128 } } }),
      "MSM_FLOW_INVALID: receivers[0].rewrite.payload_types:",
    ],
    [
      "rewriting of a source",
      { sources: [{ id: "s", udp: {}, rewrite: {} }] },
      "MSM_FLOW_INVALID: sources[0].rewrite:",
    ],
    [
      "a connection of no attachment",
      { sources: [{ id: "s", interleaved: { connection: "7" } }] },
      "MSM_FLOW_INVALID: sources[0].interleaved.connection:",
    ],
    [
      "too many sources",
      { sources: Array.from({ length: 17 }, (_, i) => ({ id: `s${i}`, udp: {} })) },
      "MSM_FLOW_LIMIT: sources:",
    ],
    [
      "too many receivers",
      { receivers: Array.from({ length: 10_001 }, (_, i) => ({ id: `r${i}`, udp: {} })) },
      "MSM_FLOW_LIMIT: receivers:",
    ],
  ])("%s", (_what, flow, problem) => {
    expect(() => read(flow)).toThrow(problem);
  });
});
