// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { DESCRIPTOR_WORDS } from "../datapath/batch.ts";
import { LOCAL_ADDRESS } from "../datapath/local-address.ts";
import { Ring } from "../datapath/ring.ts";
import { readIp, writeSockaddr } from "../datapath/sockaddr.ts";
import { ADDRESS_BYTES, AddressField } from "./abi.ts";
import { AddressTable } from "./address-table.ts";
import { GuestMemory } from "./guest-memory.ts";

test.each([
  ["0.0.0.0", "192.0.2.1", "203.0.113.7"],
  ["::", "2001:db8::1", "2001:db8::7"],
  ["203.0.113.1", "192.0.2.1", "203.0.113.1"],
])("of a listener at %s, what %s sent was sent to %s", (listener, client, local) => {
  const ring = new Ring();
  // Two runs of two datagrams: the first one's local address is not known.
  for (let slot = 0; slot < 2; slot++) {
    ring.add(20, 10, 0, 0, 0);
    writeSockaddr(ring.bytes, ring.name(slot), { address: client, port: 4000 });
  }
  const isVersion4 = !local.includes(":");
  const spoken = new Uint8Array(28);
  writeSockaddr(spoken, 0, { address: local, port: 0 });
  ring.bytes.set(spoken.subarray(isVersion4 ? 4 : 8, isVersion4 ? 8 : 24), ring.local(1) + LOCAL_ADDRESS);
  ring.slotHasLocal[1] = 1;
  const memory = new GuestMemory();
  memory.attach(new WebAssembly.Memory({ initial: 1 }), () => 0);
  const table = new AddressTable(memory, 64, { address: listener, port: 5004 });
  table.write(ring, Uint32Array.of(1, 3), 0, 2, 1024);
  const destination = (k: number) =>
    readIp(memory.bytes, memory.words[1024 + k * DESCRIPTOR_WORDS]! + AddressField.dst, isVersion4);
  expect([destination(0), destination(1)]).toEqual([listener, local]);
  expect(memory.words[1024 + DESCRIPTOR_WORDS]).toBe(64 + ADDRESS_BYTES);
});
