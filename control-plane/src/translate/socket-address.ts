// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { create } from "@msm/xds-protos";
import {
  type Address,
  AddressSchema,
  SocketAddress_Protocol,
} from "@msm/xds-protos/envoy/config/core/v3/address_pb.js";

/** How a socket is reached. */
export type Transport = "TCP" | "UDP";

/** An address as Envoy writes that of a socket. */
export function socketAddress(transport: Transport, address: string, port: number): Address {
  return create(AddressSchema, {
    address: {
      case: "socketAddress",
      value: {
        protocol: SocketAddress_Protocol[transport],
        address,
        portSpecifier: { case: "portValue", value: port },
      },
    },
  });
}
