// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { create } from "@msm/xds-protos";
import { FlowSchema } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { expect, test } from "vitest";
import { mergeFlow } from "./merge-flow.ts";

const flow = create(FlowSchema, {
  ...{ id: "1", stream: "lobby", activeSource: "s" },
  sources: [{ id: "s" }],
  receivers: [{ id: "a" }, { id: "b" }, { id: "c" }],
});

test("legs that change are replaced in their place, new ones are added, removed ones go, others are the same", () => {
  const changed = create(FlowSchema, { receivers: [{ id: "b", enabled: true }, { id: "d" }] });
  const merged = mergeFlow(flow, changed, ["c", "unheard of"]);
  expect(merged).toMatchObject({ id: "1", stream: "lobby", activeSource: "s" });
  expect(merged.receivers.map(({ id, enabled }) => [id, enabled])).toEqual([
    ["a", false],
    ["b", true],
    ["d", false],
  ]);
  expect(merged.receivers[0]).toBe(flow.receivers[0]);
  expect(merged.sources[0]).toBe(flow.sources[0]);
});

test("fields that are set take over, and the number never does", () => {
  const changed = create(FlowSchema, { id: "9", stream: "hall", activeSource: "t", idle: { seconds: 3n } });
  expect(mergeFlow(flow, changed, [])).toMatchObject({
    ...{ id: "1", stream: "hall", activeSource: "t", idle: { seconds: 3n } },
  });
});
