// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { isIP } from "node:net";
import {
  type Address,
  type SocketAddress as EnvoySocketAddress,
  SocketAddressSchema,
} from "@msm/xds-protos/envoy/config/core/v3/address_pb.js";
import type { SocketAddress } from "../plan.ts";
import { at, onlyFalse, refuse, refuseOthers } from "./refuse.ts";

/** An IP address with a port, and the protocol that was named with it (`TCP` where none was). */
export interface ReadAddress extends SocketAddress {
  readonly protocol: EnvoySocketAddress["protocol"];
}

/** What may stand where a host is named: an IP address, or also a DNS name. */
export type Host = "addresses" | "names";

/** Labels of letters, digits, hyphens and underscores, the last of which is no number (RFC 1123 section 2.1). */
const NAME = /^(?=.{1,254}$)(?!(.*\.)?\d+\.?$)[a-z0-9_][a-z0-9_-]{0,62}(\.[a-z0-9_][a-z0-9_-]{0,62})*\.?$/i;

/** Reads an `envoy.config.core.v3.Address` that must be an IP address, or a name where it may be, with a numeric port. */
export function readAddress(
  address: Address | undefined,
  path: string,
  hosts: Host = "addresses",
): ReadAddress {
  if (address?.address.case !== "socketAddress") {
    refuse("MSM_CONFIG_ADDRESS", path, "must be a socket_address with an IP address and a port_value");
  }
  const socket = address.address.value;
  const socketPath = at(path, "socket_address");
  refuseOthers(SocketAddressSchema, socket, socketPath, {
    protocol: "accepted",
    address: "accepted",
    port_value: "accepted",
    ipv4_compat: onlyFalse,
  });
  const isName = hosts === "names" && NAME.test(socket.address);
  if (isIP(socket.address) === 0 && !isName) {
    const problem =
      hosts === "names"
        ? `"${socket.address}" is neither an address nor a DNS name`
        : `"${socket.address}" is not an IPv4 or IPv6 address; names are not resolved here`;
    refuse("MSM_CONFIG_ADDRESS", at(socketPath, "address"), problem);
  }
  if (socket.portSpecifier.case !== "portValue") {
    refuse("MSM_CONFIG_ADDRESS", at(socketPath, "port_value"), "is needed");
  }
  return { address: socket.address, port: socket.portSpecifier.value, protocol: socket.protocol };
}

/** `ip:port`, with an IPv6 address in brackets. */
export function formatAddress({ address, port }: SocketAddress): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
