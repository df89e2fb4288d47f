// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { toJson } from "@msm/xds-protos";
import { LegStateSchema } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import type { LiveFlow } from "../../flow/flow-service.ts";
import type { AdminRoute } from "../route.ts";

/** The flows of signalling with every leg: addresses, what it carried and why something was dropped. */
export const route: AdminRoute = {
  path: "/flows",
  method: "GET",
  summary: "Media flows as JSON, with the addresses and counters of each leg.",
  handle: ({ context }) => {
    const flows = (context.datapath()?.flowService.flows() ?? []).map(toJsonFlow);
    return { contentType: "application/json", body: `${JSON.stringify(flows, null, 1)}\n` };
  },
};

function toJsonFlow({ legs, ...flow }: LiveFlow): object {
  return {
    ...flow,
    legs: legs.map(({ state, ...leg }) => ({ ...leg, ...(toJson(LegStateSchema, state) as object) })),
  };
}
