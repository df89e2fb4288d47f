// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { create } from "@msm/xds-protos";
import { ListenersSchema } from "@msm/xds-protos/envoy/admin/v3/listeners_pb.js";
import { SocketAddress_Protocol } from "@msm/xds-protos/envoy/config/core/v3/address_pb.js";
import { formatAddress } from "../../config/read-address.ts";
import type { LiveListener } from "../../datapath/datapath.ts";
import { protoJson } from "../proto-json.ts";
import type { AdminRoute } from "../route.ts";

/** The open listeners with the addresses that they got. */
export const route: AdminRoute = {
  path: "/listeners",
  method: "GET",
  summary: "Open listeners and their addresses; ?format=json.",
  handle: ({ query, context }) => {
    const listeners = context.datapath()?.listeners() ?? [];
    if (query.get("format") !== "json") {
      return {
        body: listeners
          .map(({ plan, localAddress }) => `${plan.name}::${formatAddress(localAddress)}\n`)
          .join(""),
      };
    }
    const message = create(ListenersSchema, { listenerStatuses: listeners.map(toStatus) });
    return protoJson(ListenersSchema, message);
  },
};

function toStatus({ plan, protocol: name, localAddress: { address, port } }: LiveListener) {
  const portSpecifier = { case: "portValue" as const, value: port };
  const protocol = name === "tcp" ? SocketAddress_Protocol.TCP : SocketAddress_Protocol.UDP;
  const value = { protocol, address, portSpecifier };
  return { name: plan.name, localAddress: { address: { case: "socketAddress" as const, value } } };
}
