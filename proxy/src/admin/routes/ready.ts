// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { ServerInfo_State } from "@msm/xds-protos/envoy/admin/v3/server_info_pb.js";
import type { AdminRoute } from "../route.ts";

/** Whether the proxy serves. */
export const route: AdminRoute = {
  path: "/ready",
  method: "GET",
  summary: "Status 200 and LIVE when the proxy serves, otherwise 503 and what it is at.",
  handle: ({ context }) => {
    const state = context.state.value;
    const status = state === ServerInfo_State.LIVE ? 200 : 503;
    return { status, body: `${ServerInfo_State[state]}\n` };
  },
};
