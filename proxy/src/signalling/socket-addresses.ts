// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Socket } from "node:net";
import { formatSocketAddress } from "../datapath/sockaddr.ts";
import type { PeerAddresses } from "./signalling-guest.ts";

/** Both ends of a connected socket, `ip:port`. */
export function socketAddresses(socket: Socket): PeerAddresses {
  const { localAddress = "", localPort = 0, remoteAddress = "", remotePort = 0 } = socket;
  return {
    local: formatSocketAddress({ address: localAddress, port: localPort }),
    remote: formatSocketAddress({ address: remoteAddress, port: remotePort }),
  };
}
