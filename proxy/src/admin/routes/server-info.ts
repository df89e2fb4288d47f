// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { create, durationFromMs } from "@msm/xds-protos";
import { ServerInfoSchema } from "@msm/xds-protos/envoy/admin/v3/server_info_pb.js";
import { protoJson } from "../proto-json.ts";
import type { AdminRoute } from "../route.ts";

/** What runs here, since when and how it was started. */
export const route: AdminRoute = {
  path: "/server_info",
  method: "GET",
  summary: "Version, state, uptime and node, as JSON.",
  handle: ({ context }) => {
    const uptime = durationFromMs(Date.now() - context.startedAt.getTime());
    const info = create(ServerInfoSchema, {
      version: context.version,
      state: context.state.value,
      uptimeCurrentEpoch: uptime,
      uptimeAllEpochs: uptime,
      commandLineOptions: {
        concurrency: context.datapath()?.concurrency ?? 0,
        configPath: context.configPath,
        logLevel: context.logLevel(),
        drainTime: durationFromMs(context.drainTimeMs),
      },
      node: context.bootstrap.node,
    });
    return protoJson(ServerInfoSchema, info);
  },
};
