// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { isMulticast } from "../../datapath/is-multicast.ts";
import { IoError, type MediaSocketOptions } from "../io-backend.ts";

/** What a bound socket of a leg does about multicast: it joins its group, or sends through an interface. Throws an IoError. */
export function applyMulticast(
  socket: Socket,
  { address: { address }, interface: name, sourceFilter = [] }: MediaSocketOptions,
): void {
  const by = name === undefined ? undefined : interfaceAddress(name, isIPv6(address));
  try {
    if (!isMulticast(address)) {
      if (by !== undefined) socket.setMulticastInterface(by);
      return;
    }
    if (sourceFilter.length === 0) socket.addMembership(address, by);
    for (const source of sourceFilter) socket.addSourceSpecificMembership(source, address, by);
  } catch (error) {
    throw new IoError((error as NodeJS.ErrnoException).code ?? "EIO", `multicast ${address}`);
  }
}

/** How node:dgram names an interface: by one of its addresses, or with IPv6 by its name behind any address. */
function interfaceAddress(name: string, isVersion6: boolean): string {
  const addresses = networkInterfaces()[name] ?? [];
  if (isVersion6 && addresses.length > 0) return `::%${name}`;
  const found = addresses.find(({ family }) => family === "IPv4");
  if (found === undefined) throw new IoError("ENODEV", `network interface ${name}`);
  return found.address;
}
