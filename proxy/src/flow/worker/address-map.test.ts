// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import { writeSockaddr } from "../../datapath/sockaddr.ts";
import type { SocketAddress } from "../../plan.ts";
import { createLegMemory, LegRecords, LegWord } from "../leg-records.ts";
import { AddressMap } from "./address-map.ts";
import type { RunningLeg } from "./running-flow.ts";

const LEGS = 8;

// Few addresses, so that legs take each other's.
const address: fc.Arbitrary<SocketAddress> = fc.record({
  address: fc.constantFrom("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8:0:1::1"),
  port: fc.integer({ min: 1, max: 3 }),
});
const step = fc.record({ leg: fc.nat({ max: LEGS - 1 }), address: fc.option(address) });

test("legs are found by the address that they have now, and by no other", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), address, (steps, wanted) => {
      const records = new LegRecords(createLegMemory(LEGS));
      const map = new AddressMap(records, LegWord.remote);
      const legs = Array.from({ length: LEGS }, (_, record) => ({ record }) as RunningLeg);
      const addresses: (SocketAddress | null)[] = new Array(LEGS).fill(null);
      for (const next of steps) {
        addresses[next.leg] = next.address;
        records.setAddress(next.leg, LegWord.remote, next.address ?? undefined);
        map.set(legs[next.leg]!);
      }
      const name = new Uint32Array(8);
      writeSockaddr(new Uint8Array(name.buffer), 0, wanted);
      const candidates = legs.filter(
        (_, i) => addresses[i]?.address === wanted.address && addresses[i]?.port === wanted.port,
      );
      const found = map.find(name, 0);
      if (candidates.length === 0) expect(found).toBeUndefined();
      else expect(candidates).toContain(found);
    }),
  );
});
