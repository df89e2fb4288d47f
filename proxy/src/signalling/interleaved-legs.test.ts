// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { create, type MessageInitShape } from "@msm/xds-protos";
import { FlowSchema, type LegSchema } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { expect, test } from "vitest";
import { InterleavedLegs } from "./interleaved-legs.ts";

function leg(id: string, connection: number, rtpChannel: number, rtcpChannel?: number) {
  const value = {
    connection: 2n ** 32n + BigInt(connection),
    rtpChannel,
    ...(rtcpChannel === undefined ? {} : { rtcpChannel }),
  };
  return { id, transport: { case: "interleaved", value } } satisfies MessageInitShape<typeof LegSchema>;
}

const flowOf = (...receivers: MessageInitShape<typeof LegSchema>[]) => create(FlowSchema, { receivers });

test("channels of connections belong to the flow whose leg names them, as long as it does", () => {
  const legs = new InterleavedLegs();
  legs.put(1, flowOf(leg("a", 7, 0, 1), { id: "u", transport: { case: "udp", value: {} } }));
  legs.put(2, flowOf(leg("a", 7, 2)));
  expect([0, 1, 2, 3].map((channel) => legs.flowOf(7, channel))).toEqual([1, 1, 2, undefined]);
  expect([legs.uses(7), legs.uses(8)]).toEqual([true, false]);
  legs.change(1, { changed: flowOf(leg("a", 7, 4), leg("b", 8, 0)), removed: [] });
  expect([legs.flowOf(7, 0), legs.flowOf(7, 4), legs.flowOf(8, 0)]).toEqual([undefined, 1, 1]);
  legs.change(1, { changed: flowOf(), removed: ["b"] });
  expect(legs.uses(8)).toBe(false);
  legs.close(1);
  legs.put(2, flowOf());
  expect(legs.uses(7)).toBe(false);
});
